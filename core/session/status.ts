/** The state of the server: for admins, at every door. */
import { BargeError } from "../error.ts";
import type { Counts } from "../watch/metrics.ts";
import type { Present } from "../watch/roster.ts";
import type { Session } from "../login/session.ts";
import type { Service } from "../login/service.ts";

/** All numbers of one moment: plain data. */
export interface Snapshot extends Counts {
  /** The program's; empty where it was not told. */
  readonly version: string;
  /** When this was, in ms since 1970. */
  readonly now: number;
  /** Bytes of memory that the whole process has. */
  readonly memory: number;
  /** Bans that hold. */
  readonly banned: number;
  readonly accounts: {
    readonly count: number;
    /** Bytes of files that are charged to somebody, and that uploads have reserved beside them. */
    readonly used: number;
    readonly reserved: number;
  };
  readonly uploads: {
    /** Not committed yet; how many of those move now. */
    readonly unfinished: number;
    readonly moving: number;
    /** Bytes that they have, or may still write, in staging. */
    readonly staged: number;
  };
}

/** The numbers, and who is connected. */
export interface Status {
  readonly snapshot: Snapshot;
  /** At most 1000; `snapshot.doors` says how many there are. */
  readonly sessions: readonly Present[];
}

/**
 * Asks all workers.
 *
 * @throws {BargeError} `denied` for who is no admin
 */
export async function status(session: Session): Promise<Status> {
  await needAdmin(session);
  const { store } = session;
  const sessions = await store.roster.everywhere();
  return { snapshot: await snapshot(store), sessions };
}

/** Returns the numbers alone, without asking the other workers. @throws {BargeError} as {@link status} */
export async function numbers(session: Session): Promise<Snapshot> {
  await needAdmin(session);
  return await snapshot(session.store);
}

async function needAdmin(session: Session): Promise<void> {
  const { name, role } = await session.account();
  if (role === "admin") return;
  throw new BargeError("denied", "only admins may see the state of the server", { account: name });
}

/** Fails where the database does not answer. */
export async function checkReady({ people }: Service): Promise<void> {
  await people.accounts.byId(0);
}

/** Returns the numbers without a login, for a listener that the operator has opened for them. */
export async function snapshot({ metrics, people, settings }: Service): Promise<Snapshot> {
  return {
    ...metrics.snapshot(),
    version: settings.version ?? "",
    now: Date.now(),
    memory: Deno.memoryUsage().rss,
    ...await people.accounts.totals(),
  };
}
