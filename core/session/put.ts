/**
 * Writing a file: reserved, staged, verified, published.
 *
 *   begun -> receiving -> committed            acknowledged, on disk, charged
 *                     \-> detached             cut off: can be continued, by whatever door
 *                     \-> dropped              wrong digest, refused, over quota, no space, cancelled
 *
 * Every end closes the staged file. An upload that is neither is continued by nobody else while it
 * moves: it says so every two seconds (`touch`), before it writes on. Each has a holder's mark of its
 * own, also those of one session. A new upload either continues the account's half-finished one to
 * that path, or takes its place.
 */
import { randomUUID } from "node:crypto";
import type { Account } from "../account/accounts.ts";
import type { NewFile } from "../account/ledger.ts";
import type { Declared, UploadRow } from "../account/reservation.ts";
import { BargeError, typed } from "../error.ts";
import type { Overwrite } from "../protocol/message.ts";
import type { Location } from "../vault/path.ts";
import { digestFile } from "../vault/digest.ts";
import { reached } from "../vault/fault.ts";
import { discard, Staged, stagedPlace, stagedSize, stageWhole } from "../vault/staging.ts";
import { changeable, checkWrite } from "./access.ts";
import { type Arrived, checkUpload, tellCommitted } from "./hooks.ts";
import type { Session } from "./session.ts";
import type { Store } from "./store.ts";

export interface PutRequest {
  readonly path: string;
  /** Declared bytes; null when unknown. */
  readonly size: number | null;
  /** The time that the file is to have, in ms since 1970; null: when it was written. */
  readonly modified: number | null;
  readonly overwrite: Overwrite;
  /** Are its bytes those of a file here? Then they need no check. */
  readonly copied?: boolean;
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
  const account = session.account();
  const { location, declared } = declare(session, request, account);
  checkWrite(session, account, location, request.overwrite);
  const { store } = session;
  if (request.size === null) await supersede(store, declared);
  let idle: UploadRow | undefined;
  const row = await store.commits.enter(() => {
    idle = request.size === null ? undefined : store.reservations.idle(declared.account, declared);
    return (idle && store.reservations.resume(idle.id, declared)) ??
      store.reservations.begin(declared);
  });
  const resumed = row.id === idle?.id;
  let staged: Staged | undefined;
  try {
    const heartbeat = makeHeartbeat(store, row);
    staged = await Staged.open(store.vault, row.id, resumed, heartbeat);
    if (request.size !== null && staged.size > request.size) await staged.restart();
    const suspect = resumed && idle?.holder !== null;
    return new Upload(session, request, location, row, staged, heartbeat, suspect);
  } catch (error) {
    staged?.[Symbol.dispose]();
    letGo(store, row, stagedSize(store.vault, row.id) ?? 0);
    throw error;
  }
}

/**
 * Writes a file that has arrived whole.
 *
 * @param bytes all of it, already found to have the digest
 * @param sha256 the digest, in hex
 * @param gone ends a check of it: nobody waits for the answer any more
 * @throws {BargeError} as {@link put} and `checkUpload`
 */
export async function putWhole(
  session: Session,
  request: PutRequest,
  bytes: Uint8Array,
  sha256: string,
  gone?: AbortSignal,
): Promise<Committed> {
  const account = session.account();
  const { location, declared } = declare(session, request, account);
  const { store } = session;
  await supersede(store, declared);
  const known = { size: bytes.length, sha256, verified: true };
  const seal = (row: UploadRow) => store.reservations.seal(row.id, declared.holder, known);
  // What is sealed nobody else may take up: what waits for a check is not, its worker may die.
  const { check } = store.hooks;
  const row = await store.commits.enter(() => {
    checkWrite(session, account, location, request.overwrite);
    const row = store.reservations.begin({ ...declared, size: bytes.length });
    if (!check) seal(row);
    return row;
  });
  if (!check) reached("sealed");
  try {
    const staged = await stageWhole(store.vault, row.id, bytes, request.modified);
    const arrived = { session, location, row, facts: { ...staged, ...known } };
    if (check) {
      await checkUpload(arrived, request.overwrite, gone);
      await store.commits.enter(() => seal(row));
      reached("sealed");
    }
    return await publish(arrived, request.overwrite);
  } catch (error) {
    giveUp(store, row);
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
  readonly #suspect: boolean;
  #reserved: number;
  #ended = false;

  /** @param suspect it was taken from a holder that had not moved, and might have moved once more */
  constructor(
    session: Session,
    request: PutRequest,
    location: Location,
    row: UploadRow,
    staged: Staged,
    heartbeat: () => void,
    suspect: boolean,
  ) {
    this.#session = session;
    this.#request = request;
    this.#location = location;
    this.#row = row;
    this.#staged = staged;
    this.#heartbeat = heartbeat;
    this.#suspect = suspect;
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
   * @param gone ends a check of it: nobody waits for the answer any more
   * @throws {BargeError} `digest` and `refused` (dropped), `protocol` for fewer bytes than declared
   *   (detached), and as {@link put} and `checkUpload` (detached)
   */
  async commit(
    sha256: string | null,
    verified: boolean,
    gone?: AbortSignal,
  ): Promise<Committed> {
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
      const { store } = this.#session;
      const { id, holder } = this.#row;
      if (this.#suspect) await this.#readBack(digest);
      const facts: Facts = {
        ...await this.#staged.finish(this.#request.modified, store.vault.durable),
        size: this.#staged.size,
        sha256: digest,
        verified,
      };
      const { copied, overwrite } = this.#request;
      const arrived = { session: this.#session, location: this.#location, row: this.#row, facts };
      if (!copied) await checkUpload(arrived, overwrite, gone);
      await store.commits.enter(() => store.reservations.seal(id, holder!, facts));
      reached("sealed");
      const committed = await publish(arrived, overwrite);
      this.#end();
      return committed;
    } catch (error) {
      if (error instanceof BargeError && error.kind === "refused") this.drop();
      this.detach();
      throw typed(error);
    }
  }

  /** Cut off: what is staged is kept, to be continued. Never throws for one that has ended. */
  detach(): void {
    if (this.#end()) letGo(this.#session.store, this.#row, this.#staged.size);
  }

  /** Given up: nothing is kept. */
  drop(): void {
    if (this.#end()) giveUp(this.#session.store, this.#row);
  }

  #end(): boolean {
    if (this.#ended) return false;
    this.#ended = true;
    this.#staged[Symbol.dispose]();
    return true;
  }

  /** A write of the former holder's that was stuck on its way to the disk may have come after ours. */
  async #readBack(digest: string): Promise<void> {
    const onDisk = await digestFile(this.#session.store.vault, stagedPlace(this.#row.id));
    if (onDisk.digest === digest) return;
    this.drop();
    throw new BargeError("unavailable", "two connections wrote to this upload at once", {
      hint: "send it again",
    });
  }

  #grow(total: number): void {
    const { reservations } = this.#session.store;
    const { id, holder } = this.#row;
    const ahead = total + growStep;
    try {
      reservations.grow(id, holder!, ahead);
      this.#reserved = ahead;
    } catch (error) {
      if (!(error instanceof BargeError && error.kind === "over-quota")) throw error;
      reservations.grow(id, holder!, total);
      this.#reserved = total;
    }
  }
}

/** Says every two seconds that an upload moves, when it is called that often. */
function makeHeartbeat(store: Store, { id, holder }: UploadRow): () => void {
  let last = performance.now();
  return () => {
    const now = performance.now();
    if (now - last < touchEvery) return;
    store.reservations.touch(id, holder!);
    last = now;
  };
}

/** What the ledger is to know of an upload. @throws {BargeError} for a path that can't be written */
function declare(
  session: Session,
  request: PutRequest,
  account: Account,
): { location: Location; declared: Declared } {
  const location = session.locate(request.path);
  const { dir, name } = changeable(location);
  const { size, modified } = request;
  return {
    location,
    declared: { account: account.id, dir, name, size, modified, holder: randomUUID() },
  };
}

/** What is staged, verified and synced. */
type Facts = Arrived["facts"];

async function publish(arrived: Arrived, overwrite: Overwrite): Promise<Committed> {
  const { session, location, row, facts } = arrived;
  const { store } = session;
  const { dir, name } = location.place!;
  const file: NewFile = { dir, name, owner: row.account, ...facts };
  const replaced = await store.commits.publish(
    row,
    file,
    () => {
      const now = store.reservations.upload(row.id);
      if (now?.holder !== row.holder) {
        throw new BargeError("unavailable", "the upload was taken over or removed meanwhile");
      }
      if (now.dir !== dir || now.name !== name) {
        throw new BargeError("no-directory", "its folder was moved meanwhile");
      }
      return checkWrite(session, session.account(), location, overwrite);
    },
  );
  tellCommitted(arrived, replaced);
  const { size, sha256, modified } = facts;
  return { size, sha256, modified, replaced };
}

/** An upload that does not continue the half-finished one to that path takes its place. */
async function supersede(store: Store, declared: Declared): Promise<void> {
  if (!store.reservations.idle(declared.account, declared)) return;
  const ids = await store.commits.enter(() => {
    const idle = store.reservations.idle(declared.account, declared);
    return idle && store.reservations.drop(idle.id) ? [idle.id] : [];
  });
  for (const id of ids) discard(store.vault, id);
}

/** Keeps what is staged for another time, unless it is a file already. */
function letGo({ commits, reservations, vault }: Store, row: UploadRow, staged: number): void {
  if (commits.owes(row.id)) return;
  if (!reservations.detach(row.id, row.holder!, staged)) discard(vault, row.id);
}

/**
 * Keeps nothing, unless it is a file already. The bytes go first: where the disk is full, the ledger
 * needs their room to say so. A crash in between leaves a row without bytes, which the next start drops.
 */
function giveUp({ commits, reservations, vault }: Store, row: UploadRow): void {
  if (commits.owes(row.id) || reservations.upload(row.id)?.holder !== row.holder) return;
  discard(vault, row.id);
  reservations.drop(row.id, row.holder!);
}
