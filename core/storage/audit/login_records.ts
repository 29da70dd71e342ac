/**
 * Records of logins, merged in one isolate before storage merges those of all isolates.
 *
 *   first of its kind in a minute -> written at once
 *   the others in that minute     -> counted in memory -> the count is written once a second
 *
 * So a login that is acknowledged has its record, also after a crash of the process; a crash loses at most a
 * second of the counts. The number of kinds in memory is bounded, and so is the number of accounts that the
 * failures of one address name in a minute: further ones name none.
 */
import { getLogger } from "@logtape/logtape";
import { BargeError } from "../../error.ts";
import { network } from "../../net/address.ts";
import { type AuditEntry, mergeKey } from "./audit.ts";
import { logAudit } from "./log.ts";

const log = getLogger(["barge", "audit"]);
const minuteMs = 60_000;
/** The interval at which counts are written, in ms. */
const countIntervalMs = 1000;
/** The most kinds that are remembered. */
const maxKinds = 10_000;
/** The most accounts that the failures of one address name in a minute. */
const maxNamedAccounts = 8;

/** A number of events that are alike. */
export interface MergedEntry {
  readonly entry: AuditEntry;
  /** See {@link mergeKey}. */
  readonly key: string;
  readonly count: number;
}

interface Kind {
  readonly entry: AuditEntry;
  /** The events that are not written yet. */
  waiting: number;
}

/** Adds a number of events to the records with their keys. @throws {BargeError} */
type Write = (entries: readonly MergedEntry[]) => Promise<void>;

export class LoginRecords {
  readonly #write: Write;
  readonly #now: () => number;
  #minute = 0;
  #kinds = new Map<string, Kind>();
  /** The accounts that the failures of each network have named. */
  #named = new Map<string, Set<string | null>>();
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** @param now the time, in ms since 1970 */
  constructor(write: Write, now: () => number = Date.now) {
    this.#write = write;
    this.#now = now;
  }

  /** Records an event: see `AuditStore.note`. */
  async note(given: AuditEntry): Promise<void> {
    const minute = Math.floor(this.#now() / minuteMs);
    if (minute !== this.#minute || this.#kinds.size >= maxKinds) {
      this.#writeCounts();
      this.#minute = minute;
      this.#kinds = new Map();
      this.#named = new Map();
    }
    const entry = this.#bounded(given);
    const key = mergeKey(entry, minute);
    const kind = this.#kinds.get(key);
    if (kind) {
      kind.waiting++;
      this.#timer ??= setTimeout(() => this.#writeCounts(), countIntervalMs);
      return;
    }
    this.#kinds.set(key, { entry, waiting: 0 });
    try {
      await this.#write([{ entry, key, count: 1 }]);
    } catch (error) {
      this.#kinds.delete(key);
      throw error;
    }
    logAudit(entry);
  }

  /** Stops the timer. @returns the counts that are not written yet, which the caller writes */
  take(): MergedEntry[] {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const counts: MergedEntry[] = [];
    for (const [key, kind] of this.#kinds) {
      if (kind.waiting > 0) counts.push({ entry: kind.entry, key, count: kind.waiting });
      kind.waiting = 0;
    }
    return counts;
  }

  #writeCounts(): void {
    const counts = this.take();
    if (counts.length === 0) return;
    this.#write(counts).catch((error) => {
      if (!(error instanceof BargeError)) throw error;
      log.warn("the number of logins can't be recorded: {why}", { why: `${error}` });
    });
  }

  /** Removes the account from a failure whose address has named too many. */
  #bounded(entry: AuditEntry): AuditEntry {
    const { event, account, by: { address } } = entry;
    if (event !== "login-failed" || account === null || address === null) return entry;
    const place = network(address);
    const named = this.#named.get(place) ?? new Set();
    this.#named.set(place, named);
    if (named.size < maxNamedAccounts) named.add(account);
    return named.has(account) ? entry : { ...entry, account: null };
  }
}
