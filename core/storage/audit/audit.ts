/**
 * The audit trail: a record of each login, and of each change of accounts, of their rights and secrets, of
 * share links and of the server's settings; of files only where the operator asks for them.
 *
 * A change and its record are one transaction, so that a crash leaves both or neither. Records name accounts
 * and do not refer to their rows, so they stay when an account is removed. No record has a secret.
 *
 * Others can cause records by the thousand, so their number is bounded:
 *
 * - Logins that are alike, in one minute, are one record with a count ({@link mergeKey}). The failures of one
 *   address name a few accounts; further ones are alike (login_records.ts).
 * - Each class of records has a bound of its own ({@link auditBounds}); its oldest records are dropped first. So a
 *   flood of failures never displaces the changes of admins, and an account that makes and revokes tokens
 *   displaces only the changes that accounts made to themselves.
 * - Texts in details are cut, and the details of a record have at most {@link maxDetailsLength} characters.
 */
import { network } from "../../net/address.ts";

/** The events of the trail. The verbs are changes of files. */
export const auditEvents = [
  "login",
  "login-failed",
  "ban",
  "ban-lifted",
  "account-added",
  "account-changed",
  "account-removed",
  "token-issued",
  "token-revoked",
  "key-added",
  "key-removed",
  "web-session-ended",
  "share-made",
  "share-revoked",
  "server-started",
  "settings-changed",
  "storage-verified",
  "commit",
  "copy",
  "move",
  "remove",
  "mkdir",
] as const;
export type AuditEvent = typeof auditEvents[number];

/** The origin of a change or a login. */
export interface Actor {
  /** The account that acts; null for none, as in a failed login. */
  readonly account: string | null;
  /** The numeric address of the client; null for the operator. */
  readonly address: string | null;
  /** The door; null for the operator: a command line, a signal, or the server itself. */
  readonly door: string | null;
}

/** The operator: a command on the machine or the storage of the server. */
export const operator: Actor = { account: null, address: null, door: null };

type Detail = string | number | boolean | null | readonly string[];
/** The facts of an event, without secrets. */
export type AuditDetails = Readonly<
  Record<string, Detail | { readonly from: Detail; readonly to: Detail }>
>;

/** An event to record. */
export interface AuditEntry {
  readonly event: AuditEvent;
  /** The account that the event is about; a mark (ban_rules.ts) for a name that no account has; null for none. */
  readonly account: string | null;
  readonly by: Actor;
  readonly details?: AuditDetails;
}

/** A record of the trail. */
export interface AuditRecord extends Required<AuditEntry> {
  /** Later records have larger ids. */
  readonly id: number;
  /** The times of its first and its last event, in ms since 1970, by the clock of storage. */
  readonly at: number;
  readonly last: number;
  /** The number of events. */
  readonly count: number;
}

/** The records to read. */
export interface AuditQuery {
  /** Only records of events since this time, in ms since 1970. */
  readonly since?: number;
  /** Only records about, or by, the account of this name, in whatever case. */
  readonly account?: string;
  /** Only records with a smaller id: the last id of the page before. */
  readonly before?: number;
  /** The most records, up to {@link maxAuditPage}. */
  readonly limit: number;
}

/** The most records of one page. */
export const maxAuditPage = 1000;
/** The time for which records are kept, unless the operator sets another, in days. */
export const defaultAuditDays = 90;
/** The most characters of the details of a record, as JSON, and of a text in them. */
export const maxDetailsLength = 4000;
const maxTextLength = 500;

/** The most records of each class. */
export const auditBounds = {
  login: 100_000,
  failure: 100_000,
  own: 50_000,
  change: 100_000,
  file: 500_000,
} as const;
export type AuditClass = keyof typeof auditBounds;

const classes: Partial<Record<AuditEvent, AuditClass>> = {
  login: "login",
  "login-failed": "failure",
  ban: "failure",
  commit: "file",
  copy: "file",
  move: "file",
  remove: "file",
  mkdir: "file",
};

/** Returns the class of an event: `own` for a change that an account makes to itself. */
export function classOf({ event, account, by }: AuditEntry): AuditClass {
  const isOwn = by.account !== null && by.account === account;
  return classes[event] ?? (isOwn ? "own" : "change");
}

/** The part of storage that keeps the trail. */
export interface AuditStore {
  /**
   * Records a login or a failure. The first of its kind in a minute is recorded before the promise is fulfilled;
   * the number of those that are like it follows within seconds.
   *
   * @throws {BargeError} where the database is locked or does not answer
   */
  note(entry: AuditEntry): Promise<void>;
  /** Records an event that no change of storage belongs to. @throws {BargeError} as {@link note} */
  add(entry: AuditEntry): Promise<void>;
  /** Returns records, the newest first. */
  list(query: AuditQuery): Promise<readonly AuditRecord[]>;
  /** Drops records whose last event is older than a number of days, and those beyond the bounds. */
  prune(days: number): Promise<void>;
}

/** A record as columns of a row, without its times and its count. */
export interface AuditRow {
  readonly class: AuditClass;
  readonly event: AuditEvent;
  readonly account: string | null;
  readonly actor: string | null;
  readonly address: string | null;
  readonly door: string | null;
  /** JSON. */
  readonly details: string;
}

/** Returns the columns of an entry. */
export function auditRow(entry: AuditEntry): AuditRow {
  const { event, account, by } = entry;
  const { account: actor, address, door } = by;
  return { class: classOf(entry), event, account, actor, address, door, details: detailsOf(entry) };
}

/** Returns the record that columns hold. */
export function auditRecord(
  { event, account, actor, address, door, details, id, at, last, count }:
    & AuditRow
    & Pick<AuditRecord, "id" | "at" | "last" | "count">,
): AuditRecord {
  const by = { account: actor, address, door };
  return { id, at, last, count, event, account, by, details: JSON.parse(details) };
}

/** Returns the details as JSON. Details that are too long together become their names. */
function detailsOf({ details = {} }: AuditEntry): string {
  const json = JSON.stringify(
    details,
    (_, value) => typeof value === "string" ? cut(value) : value,
  );
  if (json.length <= maxDetailsLength) return json;
  return JSON.stringify({ tooLong: Object.keys(details).map(cut).slice(0, 5) });
}

function cut(text: string): string {
  return text.length <= maxTextLength ? text : `${text.slice(0, maxTextLength - 1)}…`;
}

/**
 * Returns the text that is the same for logins, or failures, that are one record.
 *
 * @param minute the number of the minute since 1970
 *
 * @example
 * ```ts
 * import { mergeKey } from "./audit.ts";
 * const from = (address: string) => ({
 *   event: "login-failed",
 *   account: null,
 *   by: { account: null, address, door: "http" },
 * } as const);
 * const key = mergeKey(from("2001:db8::1"), 7);
 * if (mergeKey(from("2001:db8::2"), 7) !== key) throw new Error("one network of 64 bits");
 * if (mergeKey(from("2001:db8::1"), 8) === key) throw new Error("the next minute");
 * ```
 */
export function mergeKey(entry: AuditEntry, minute: number): string {
  const { event, account, by: { address, door } } = entry;
  const place = event === "login" || address === null ? address : network(address);
  return JSON.stringify([minute, event, account, place, door, detailsOf(entry)]);
}
