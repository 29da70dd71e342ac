/**
 * Writing a file that has arrived whole: reserved and sealed in one step, staged, published.
 *
 * What waits at the same time goes together, through both group commits (commit.ts): a tree of small
 * files is then hardly more than its files' own statements. Where not all of them can be taken in
 * together, since there is no room for all, each is by itself, and told what is in its own way.
 */
import type { Declared, Held, Reservations, Sealed } from "../local/ledger/reservation.ts";
import { typed } from "../error.ts";
import { reached } from "../local/vault/fault.ts";
import type { Location } from "../storage/path.ts";
import { stageWhole } from "../local/vault/staging.ts";
import { checkWrite } from "../login/access.ts";
import { type Outcome, outcome } from "../local/group.ts";
import { lost } from "./lost.ts";
import { discardDropped, giveUp } from "../local/partial_upload.ts";
import { checkUpload } from "./check.ts";
import { declare, type PutRequest } from "./put.ts";
import type { Session } from "../login/session.ts";
import { type Committed, publish } from "./publish.ts";

/** A file that waits to be taken in. */
interface Arriving {
  readonly session: Session;
  readonly request: PutRequest;
  readonly location: Location;
  readonly declared: Declared;
  /** Undefined: it has to be checked before it may be sealed. */
  readonly sealed: Sealed | undefined;
}

/** A file that is taken in. */
interface Entered {
  readonly row: Held;
  /** The unfinished upload whose place it took: its staged bytes are to go. */
  readonly replaced: number | undefined;
}

/**
 * @param bytes all of it, already found to have the digest
 * @param sha256 the digest, in hex
 * @param door.gone ends a check of it: nobody waits for the answer any more
 * @param door.verified did it prove that all bytes arrived?
 * @throws {BargeError} as `put` and `checkUpload`
 */
export async function putWhole(
  session: Session,
  request: PutRequest,
  bytes: Uint8Array,
  sha256: string,
  { gone, verified = true }: { gone?: AbortSignal; verified?: boolean } = {},
): Promise<Committed> {
  const { location, declared } = declare(session, { ...request, size: bytes.length });
  const { store } = session;
  const known = { size: bytes.length, sha256, verified };
  // What is sealed nobody else may take up: what waits for a check is not, its worker may die.
  const { check } = store.hooks;
  // What decides is the check under the write lock at the end: this one saves work where it may refuse.
  if (request.overwrite !== "always") {
    checkWrite(session, session.accountNow(), location, request.overwrite);
  }
  const arriving = { session, request, location, declared, sealed: check ? undefined : known };
  const { row, replaced } = await store.commits.enterWith(enter, arriving);
  if (!check) reached("sealed");
  try {
    if (replaced !== undefined) discardDropped(store, [replaced]);
    // An upload that is not sealed may be taken over.
    using fence = check ? store.fences.take(row.id) : undefined;
    if (fence && !store.reservations.holds(row.id, row.holder!)) throw lost(session, row, location);
    const staged = await stageWhole(store.vault, row.id, bytes, request.modified, fence);
    const facts = { ...staged, ...known };
    const arrived = { session, request, location, row };
    if (check) {
      await checkUpload(arrived, facts, gone);
      await store.commits.enter(() => store.reservations.seal(row.id, declared.holder, known));
      reached("sealed");
    }
    return await publish(arrived, facts);
  } catch (error) {
    const ours = store.reservations.holds(row.id, row.holder!);
    const failure = ours ? typed(error) : lost(session, row, location);
    await giveUp(store, row);
    throw failure;
  }
}

/** Takes in what waits. */
function enter(files: readonly Arriving[]): readonly Outcome<Entered>[] {
  const { db } = files[0].session.store;
  const all = files.length > 1 ? outcome(() => db.transaction(() => enterAll(files))) : undefined;
  if (all && "value" in all) return all.value.map((value) => ({ value }));
  return files.map((file) => outcome(() => db.transaction(() => enterOne(file))));
}

function enterAll(files: readonly Arriving[]): Entered[] {
  const { arrivals, reservations } = files[0].session.store;
  const halves = arrivals.unfinishedOf(new Set(files.map(({ declared }) => declared.account)));
  const replaced = files.map(({ declared }) =>
    halves.has(declared.account) ? dropHalf(declared, reservations) : undefined
  );
  const rows = arrivals.begin(files.map(({ declared, sealed }) => [declared, sealed]));
  return rows.map((row, i) => ({ row, replaced: replaced[i] }));
}

function enterOne({ session, request, location, declared, sealed }: Arriving): Entered {
  const { reservations } = session.store;
  const replaced = dropHalf(declared, reservations);
  try {
    return { row: reservations.begin(declared, sealed), replaced };
  } catch (error) {
    // Told before a want of room.
    checkWrite(session, session.accountNow(), location, request.overwrite);
    throw error;
  }
}

/** Takes the place of the unfinished upload to a path. @returns which that was */
function dropHalf(declared: Declared, reservations: Reservations): number | undefined {
  const idle = reservations.idle(declared.account, declared);
  if (idle) reservations.drop(idle.id);
  return idle?.id;
}
