/**
 * Writing a file: reserved, staged, verified, published.
 *
 *   begun -> receiving -> committed            acknowledged, on disk, charged
 *                     \-> detached             cut off: can be continued, by whatever door
 *                     \-> dropped              wrong digest, over quota, no space, cancelled
 *
 * Every end closes the staged file. An upload that is neither is continued by nobody else while it
 * moves: it says so every two seconds (`touch`), before it writes on.
 */
import type { NewFile } from "../account/ledger.ts";
import type { Declared, UploadRow } from "../account/reservation.ts";
import { BargeError, typed } from "../error.ts";
import type { Overwrite } from "../protocol/message.ts";
import type { Location } from "../vault/path.ts";
import { discard, Staged } from "../vault/staging.ts";
import { checkWrite } from "./access.ts";
import type { Session } from "./session.ts";

export interface PutRequest {
  readonly path: string;
  /** Declared bytes; null when unknown. */
  readonly size: number | null;
  /** The time that the file is to have, in ms since 1970; null: when it was written. */
  readonly modified: number | null;
  readonly overwrite: Overwrite;
}

/** What a committed upload has become. */
export interface Committed {
  readonly size: number;
  readonly sha256: string;
  /** Milliseconds since 1970. */
  readonly modified: number;
  readonly replaced: boolean;
}

/** How much more is reserved at once for an upload of unknown size, in bytes. */
const growStep = 8 * 1024 * 1024;
const touchEvery = 2000;

/**
 * Begins an upload, or takes up the one that was cut off.
 *
 * @throws {BargeError} as `checkWrite`, and `over-quota` before a byte was sent, if the size is known
 */
export async function put(session: Session, request: PutRequest): Promise<Upload> {
  const { location, declared } = prepare(session, request);
  const { store } = session;
  const row = await store.commits.enter(() => {
    const idle = request.size === null
      ? undefined
      : store.reservations.idle(declared.account, declared);
    return (idle && store.reservations.resume(idle.id, declared)) ??
      store.reservations.begin(declared);
  });
  try {
    const heartbeat = makeHeartbeat(session, row.id);
    const staged = await Staged.open(store.vault, row.id, request.size !== null, heartbeat);
    if (request.size !== null && staged.size > request.size) await staged.restart();
    return new Upload(session, request, location, row, staged, heartbeat);
  } catch (error) {
    store.reservations.drop(row.id, session.holder);
    discard(store.vault, row.id);
    throw error;
  }
}

/**
 * Writes a file that has arrived whole.
 *
 * @param bytes all of it, already found to have the digest
 * @param sha256 the digest, in hex
 * @throws {BargeError} as {@link put}
 */
export async function putWhole(
  session: Session,
  request: PutRequest,
  bytes: Uint8Array,
  sha256: string,
): Promise<Committed> {
  const { location, declared } = prepare(session, request);
  const { store } = session;
  const row = await store.commits.enter(() => {
    const row = store.reservations.begin({ ...declared, size: bytes.length });
    store.reservations.seal(row.id, session.holder, { size: bytes.length, sha256, verified: true });
    return row;
  });
  try {
    using staged = await Staged.open(store.vault, row.id, false);
    await staged.write(bytes);
    return await publish(session, request, location, row, staged, sha256, true);
  } catch (error) {
    giveUp(session, row.id);
    throw typed(error);
  }
}

export class Upload {
  readonly #session: Session;
  readonly #request: PutRequest;
  readonly #location: Location;
  readonly #row: UploadRow;
  readonly #staged: Staged;
  readonly #heartbeat: () => void;
  #reserved: number;
  #ended = false;

  constructor(
    session: Session,
    request: PutRequest,
    location: Location,
    row: UploadRow,
    staged: Staged,
    heartbeat: () => void,
  ) {
    this.#session = session;
    this.#request = request;
    this.#location = location;
    this.#row = row;
    this.#staged = staged;
    this.#heartbeat = heartbeat;
    this.#reserved = row.want;
  }

  /** Bytes that are staged already. */
  get offset(): number {
    return this.#staged.size;
  }

  /** The SHA-256 of the staged bytes, in hex; null when there are none. */
  get prefix(): string | null {
    return this.#staged.size === 0 ? null : this.#staged.digest();
  }

  /** Drops the staged bytes: the client has others. */
  async restart(): Promise<void> {
    await this.#staged.restart();
  }

  /**
   * Appends a piece. It must stay as it is until this resolves.
   *
   * @throws {BargeError} `over-quota`, `no-space`; `protocol` for more than was declared; `unavailable` when another took the upload over
   */
  async write(bytes: Uint8Array): Promise<void> {
    const total = this.#staged.size + bytes.length;
    const { size } = this.#request;
    if (size !== null && total > size) {
      throw new BargeError("protocol", `more than the declared ${size} bytes`);
    }
    try {
      if (total > this.#reserved) this.#grow(total);
      this.#heartbeat();
      await this.#staged.write(bytes);
    } catch (error) {
      throw typed(error);
    }
  }

  /**
   * Ends it after a failed write: what can't become a file for want of room is dropped, so that the
   * room is there again; anything else is kept, to be continued.
   */
  fail(failure: BargeError): void {
    if (failure.kind === "over-quota" || failure.kind === "no-space") this.drop();
    else this.detach();
  }

  /** Is it committed, detached or dropped? */
  get ended(): boolean {
    return this.#ended;
  }

  /**
   * Verifies and publishes.
   *
   * @param sha256 what the client says that the whole file's digest is; null if it can't say
   * @param verified did the door prove that all bytes arrived?
   * @throws {BargeError} `digest` (dropped), `protocol` for fewer bytes than declared (detached),
   *   and as {@link put}
   */
  async commit(sha256: string | null, verified: boolean): Promise<Committed> {
    const { size } = this.#request;
    if (size !== null && this.#staged.size !== size) {
      throw new BargeError("protocol", `${this.#staged.size} of ${size} bytes arrived`);
    }
    const digest = this.#staged.digest();
    if (sha256 !== null && sha256 !== digest) {
      this.drop();
      throw new BargeError("digest", `what arrived has SHA-256 ${digest}, not ${sha256}`, {
        hint: "the staged bytes were dropped; send it again",
      });
    }
    try {
      const { store, holder } = this.#session;
      const facts = { size: this.#staged.size, sha256: digest, verified };
      await this.#staged.finish(this.#request.modified, store.vault.durable);
      await store.commits.enter(() => store.reservations.seal(this.#row.id, holder, facts));
      const committed = await publish(
        ...[this.#session, this.#request, this.#location, this.#row, this.#staged] as const,
        ...[digest, verified] as const,
      );
      this.#end();
      return committed;
    } catch (error) {
      this.detach();
      throw typed(error);
    }
  }

  /** Cut off: what is staged is kept, to be continued. Never throws for one that has ended. */
  detach(): void {
    if (!this.#end()) return;
    const { store, holder } = this.#session;
    const kept = store.reservations.detach(this.#row.id, holder, this.#staged.size);
    if (!kept) discard(store.vault, this.#row.id);
  }

  /** Given up: nothing is kept. */
  drop(): void {
    if (this.#end()) giveUp(this.#session, this.#row.id);
  }

  #end(): boolean {
    if (this.#ended) return false;
    this.#ended = true;
    this.#staged[Symbol.dispose]();
    return true;
  }

  #grow(total: number): void {
    const { reservations } = this.#session.store;
    const ahead = total + growStep;
    try {
      reservations.grow(this.#row.id, this.#session.holder, ahead);
      this.#reserved = ahead;
    } catch (error) {
      if (!(error instanceof BargeError && error.kind === "over-quota")) throw error;
      reservations.grow(this.#row.id, this.#session.holder, total);
      this.#reserved = total;
    }
  }
}

/** Says every two seconds that an upload moves, when it is called that often. */
function makeHeartbeat(session: Session, upload: number): () => void {
  let last = performance.now();
  return () => {
    const now = performance.now();
    if (now - last < touchEvery) return;
    session.store.reservations.touch(upload, session.holder);
    last = now;
  };
}

function prepare(
  session: Session,
  request: PutRequest,
): { location: Location; declared: Declared } {
  const account = session.account();
  const location = session.locate(request.path);
  checkWrite(session, account, location, request.overwrite);
  const { dir, name } = location.place!;
  const { size, modified } = request;
  return {
    location,
    declared: { account: account.id, dir, name, size, modified, holder: session.holder },
  };
}

async function publish(
  session: Session,
  request: PutRequest,
  location: Location,
  row: UploadRow,
  staged: Staged,
  sha256: string,
  verified: boolean,
): Promise<Committed> {
  const { store } = session;
  const { modified, ino } = await staged.finish(request.modified, store.vault.durable);
  const { dir, name } = location.place!;
  const file: NewFile = {
    dir,
    name,
    owner: row.account,
    size: staged.size,
    sha256,
    modified,
    ino,
    verified,
  };
  const replaced = await store.commits.publish(
    row,
    file,
    () => {
      if (store.reservations.upload(row.id)?.holder !== session.holder) {
        throw new BargeError("unavailable", "the upload was taken over or removed meanwhile");
      }
      return checkWrite(session, session.account(), location, request.overwrite);
    },
  );
  return { size: staged.size, sha256, modified, replaced };
}

function giveUp(session: Session, upload: number): void {
  const { reservations, vault } = session.store;
  if (reservations.drop(upload, session.holder)) discard(vault, upload);
}
