/**
 * An upload of unknown size, whose first bytes are gathered in memory: a file that stays small is
 * staged and published in one go, as if it had come with its size.
 *
 *   gathering -> committed, by `putWhole`
 *            \-> begun -> an upload like any other
 *
 * It begins when there is more than fits, or when it is cut off: what has arrived is kept then, to be
 * continued, unless a newer connection has begun an upload to that path meanwhile. Until then nothing
 * is reserved, and nobody finds it; it is not acknowledged either.
 */
import { createHash } from "node:crypto";
import { type BargeError, typed } from "../error.ts";
import { changeable, checkWrite } from "../login/access.ts";
import { put, type PutRequest } from "./put.ts";
import { putWhole } from "./put_whole.ts";
import type { Session } from "../login/session.ts";
import { type Committed, otherDigest, type Upload } from "./upload.ts";

/** So many bytes are gathered. */
const most = 64 * 1024;

export class Gathered {
  readonly #session: Session;
  readonly #request: PutRequest;
  #pieces: Uint8Array[] = [];
  #size = 0;
  #committing = false;
  #upload: Upload | undefined;

  /** @throws {BargeError} as `checkWrite`: for a path that can't be written */
  constructor(session: Session, request: PutRequest) {
    const location = session.locate(request.path);
    changeable(location);
    checkWrite(session, session.accountNow(), location, request.overwrite);
    this.#session = session;
    this.#request = request;
  }

  /** Bytes that have come. */
  get offset(): number {
    return this.#upload?.offset ?? this.#size;
  }

  /** As {@link Upload.takenOver}. */
  get takenOver(): boolean {
    return this.#upload?.takenOver ?? false;
  }

  /** Appends a piece, as {@link Upload.write} does. @throws as `put`, and that */
  async write(bytes: Uint8Array): Promise<void> {
    if (!this.#upload && this.#size + bytes.length <= most) {
      this.#pieces.push(bytes.slice());
      this.#size += bytes.length;
      return;
    }
    const upload = await this.#begin();
    await upload.write(bytes);
  }

  /** Verifies and publishes, as {@link Upload.commit} does. @throws as `putWhole`, and that */
  async commit(
    sha256: string | null,
    verified: boolean,
    gone?: AbortSignal,
  ): Promise<Committed> {
    if (this.#upload) return await this.#upload.commit(sha256, verified, gone);
    this.#committing = true;
    const bytes = this.#all();
    const digest = createHash("sha256").update(bytes).digest("hex");
    if (sha256 !== null && sha256 !== digest) throw otherDigest(digest, sha256);
    return await putWhole(this.#session, this.#request, bytes, digest, { verified, gone });
  }

  /**
   * Ends it after a failed write or a cut, as {@link Upload.fail} does: what has arrived is kept, where
   * there is room for it.
   *
   * @throws {BargeError} why it could not be kept
   */
  async fail(failure: BargeError): Promise<void> {
    let unkept: BargeError | undefined;
    if (!this.#upload && this.#size > 0 && !this.#committing && !isFull(failure)) {
      try {
        await this.#begin(true);
      } catch (error) {
        const reason = typed(error);
        if (!isFull(reason) && reason.kind !== "unavailable") unkept = reason;
      }
    }
    await this.#upload?.fail(failure);
    if (unkept) throw unkept;
  }

  /** @param remains nothing more is to come */
  async #begin(remains = false): Promise<Upload> {
    if (this.#upload) return this.#upload;
    const bytes = this.#all();
    this.#upload = await put(this.#session, { ...this.#request, remains });
    this.#pieces = [];
    if (bytes.length > 0) await this.#upload.write(bytes);
    return this.#upload;
  }

  #all(): Uint8Array {
    const bytes = new Uint8Array(this.#size);
    let at = 0;
    for (const piece of this.#pieces) {
      bytes.set(piece, at);
      at += piece.length;
    }
    return bytes;
  }
}

function isFull({ kind }: BargeError): boolean {
  return kind === "over-quota" || kind === "no-space";
}
