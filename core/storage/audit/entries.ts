/** The records of changes, alike in every storage. */
import type { Account } from "../account.ts";
import type { AccountChange, RemovedAccount } from "../accounts.ts";
import type { Actor, AuditDetails, AuditEntry, AuditEvent } from "./audit.ts";
import type { FactorChange } from "../factors.ts";
import type { Attempt, Ban } from "../logins.ts";
import type { AuthorizedKey } from "../public_key.ts";
import { fingerprintOf } from "../public_key.ts";
import type { Scope } from "../scope.ts";
import type { NewShare } from "../shares.ts";
import { relative } from "../place.ts";
import type { StoredFile } from "../uploads.ts";

export function accountAdded(made: Account, by: Actor): AuditEntry {
  const { role, limit, entryLimit, disabled, expires, from } = made;
  const limits = { limit, entryLimit, disabled, expires: isoOf(expires), from: listed(from) };
  return { event: "account-added", account: made.name, by, details: { role, ...limits } };
}

/** Returns the record of a change: the values before and after of each given field, and no password. */
export function accountChanged(before: Account, change: AccountChange, by: Actor): AuditEntry {
  const { verifier, expires, from, entryLimit, ...plain } = change;
  const details: Record<string, AuditDetails[string]> = {};
  for (const [name, to] of Object.entries(plain)) {
    if (to !== undefined) details[name] = { from: before[name as keyof typeof plain], to };
  }
  if (entryLimit !== undefined) {
    const { entryLimit: former, entryLimitSet } = before;
    if (entryLimit !== former) details.entryLimit = { from: former, to: entryLimit };
    if (!entryLimitSet) details.entryLimitSet = { from: false, to: true };
  }
  if (expires !== undefined) {
    details.expires = { from: isoOf(before.expires), to: isoOf(expires) };
  }
  if (from !== undefined) details.from = { from: listed(before.from), to: listed(from) };
  if (verifier) details.password = true;
  return { event: "account-changed", account: before.name, by, details };
}

/** Returns the record of a change of the second factor, without its secrets. */
export function factorChanged(account: string, change: FactorChange, by: Actor): AuditEntry {
  const details = "totp" in change ? { totp: { from: !change.totp, to: change.totp } } : change;
  return { event: "account-changed", account, by, details };
}

export function accountRemoved(
  account: string,
  { files, bytes }: Pick<RemovedAccount, "files" | "bytes">,
  purge: boolean,
  by: Actor,
): AuditEntry {
  return { event: "account-removed", account, by, details: { purge, files, bytes } };
}

/** @param id names the token, and is no secret */
export function tokenIssued(
  account: string,
  { id, label, scope }: { id: string; label: string; scope: Scope },
  by: Actor,
): AuditEntry {
  const { access, path, doors, from, expires } = scope;
  const limits = {
    access,
    path,
    doors: listed(doors),
    from: listed(from),
    expires: isoOf(expires),
  };
  return {
    event: "token-issued",
    account,
    by,
    details: { token: id, label: label.slice(0, 200), ...limits },
  };
}

export function tokensRevoked(
  account: string,
  ids: readonly string[],
  by: Actor,
): readonly AuditEntry[] {
  return ids.map((id) => ({ event: "token-revoked", account, by, details: { token: id } }));
}

export function keyAdded(
  account: string,
  { type, blob, comment }: AuthorizedKey,
  by: Actor,
): AuditEntry {
  const details = { fingerprint: fingerprintOf(blob), type, comment: comment.slice(0, 200) };
  return { event: "key-added", account, by, details };
}

export function keyRemoved(account: string, fingerprint: string, by: Actor): AuditEntry {
  return { event: "key-removed", account, by, details: { fingerprint } };
}

export function webSessionEnded(account: string, id: string, by: Actor): AuditEntry {
  return { event: "web-session-ended", account, by, details: { session: id } };
}

/** @param id names the link, and is no secret */
export function shareMade(account: string, id: string, share: NewShare, by: Actor): AuditEntry {
  const { place, kind, expires, maxDownloads, verifier } = share;
  const limits = { expires: isoOf(expires), maxDownloads, password: verifier !== null };
  return {
    event: "share-made",
    account,
    by,
    details: { share: id, place: relative(place), kind, ...limits },
  };
}

export function shareRevoked(account: string, id: string, by: Actor): AuditEntry {
  return { event: "share-revoked", account, by, details: { share: id } };
}

/** Returns the record of a ban, with the address of the failure that it follows. */
export function banBegun(ban: Ban, { host, door = null }: Attempt): AuditEntry {
  const by = { account: null, address: host, door };
  return { event: "ban", account: ban.account, by, details: banDetails(ban) };
}

export function banLifted(ban: Ban, by: Actor): AuditEntry {
  return { event: "ban-lifted", account: ban.account, by, details: banDetails(ban) };
}

function banDetails({ address, until, times }: Ban): AuditDetails {
  return { banned: address ?? "any new address", until: isoOf(until), times };
}

/** The changes of files and folders. */
export type FileEvent = Extract<AuditEvent, "commit" | "copy" | "move" | "remove" | "mkdir">;

export function fileChanged(event: FileEvent, by: Actor, details: AuditDetails): AuditEntry {
  return { event, account: by.account, by, details };
}

/** Returns the record of a file that was written. @param record without the facts of the file */
export function fileWritten(
  record: AuditEntry,
  { size, replaced }: Pick<StoredFile, "size" | "replaced">,
): AuditEntry {
  return { ...record, details: { ...record.details, size, replaced } };
}

function isoOf(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString();
}

function listed(items: readonly string[] | null): readonly string[] | null {
  return items && [...items];
}
