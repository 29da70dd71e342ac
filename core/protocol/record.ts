/** The records that messages of BARGE/1 carry: accounts, entries, uploads, the server's status. */
import * as v from "valibot";
import { bytes, count, key, path, salt, seconds, sha256, time } from "./field.ts";
import { scopeAnswer } from "./scope.ts";
import { hasOwnCosts } from "./scram.ts";

/**
 * The server's record of a password, from which the password can't be computed. The client makes it. Its
 * scrypt costs must be those that the server uses: at doors whose protocols carry the password, the server
 * itself runs scrypt at each login, with the costs in the record.
 */
export const verifier = v.pipe(
  v.object({ salt, n: count, r: count, p: count, storedKey: key, serverKey: key }),
  v.check(
    (verifier) => hasOwnCosts(verifier),
    "a verifier has scrypt costs n=32768, r=8, p=1 and a salt of 16 bytes",
  ),
);

/** A file or folder, as every door shows it. */
export const entry = v.object({
  name: v.string(),
  type: v.picklist(["file", "dir"]),
  size: bytes,
  modified: time,
  owner: v.nullable(v.string()),
  sha256: v.nullable(sha256),
});

/** Counts the entries that a listing omits: they are on the server's disk and can't be shown. */
export const omission = v.object({
  /** Names that are not valid UTF-8. */
  unnamed: count,
  /** Links, sockets, pipes, devices. */
  special: count,
  /** The path of one omitted entry, relative to the listed folder; invalid bytes are U+FFFD. */
  example: v.string(),
});

/** A partial upload of the account that is logged in. */
export const partial = v.object({
  path,
  offset: bytes,
  size: v.nullable(bytes),
  /** True while a connection is sending it. */
  busy: v.boolean(),
  /** When the server drops it, unless a client resumes it. */
  expires: time,
});

/** A token of the account that is logged in, without its secret. */
export const issuedToken = v.object({
  id: v.string(),
  label: v.string(),
  created: time,
  /** The last login with it, and the address of that login; null for never. */
  used: v.nullable(time),
  usedFrom: v.nullable(v.string()),
  expired: v.boolean(),
  ...scopeAnswer,
});

/** A record of the audit trail. */
export const auditRecord = v.object({
  id: count,
  /** The first and the last of its events. */
  time,
  last: time,
  count,
  event: v.string(),
  account: v.nullable(v.string()),
  by: v.nullable(v.string()),
  address: v.nullable(v.string()),
  door: v.nullable(v.string()),
  details: v.record(v.string(), v.unknown()),
});

/** An account's quota, and how much of it is used. */
export const usage = v.object({
  account: v.string(),
  used: bytes,
  reserved: bytes,
  limit: v.nullable(bytes),
  left: v.nullable(bytes),
  /** Files, folders and partial uploads, and the entry limit. Older servers send neither. */
  entries: v.optional(count),
  entryLimit: v.optional(v.nullable(count)),
});

const connections = { open: count, opened: count, refused: count };

/** The server's status, without the lists of requests and connections. */
export const server = v.object({
  /** The name of the node, where several share the storage. */
  node: v.optional(v.string()),
  version: v.string(),
  started: time,
  now: time,
  workers: count,
  restarts: count,
  memory: bytes,
  connections: v.object(connections),
  doors: v.array(v.object({
    door: v.string(),
    ...connections,
    /** Older servers omit it. */
    busy: v.optional(count),
    received: bytes,
    sent: bytes,
  })),
  logins: v.object({ ok: count, failed: count }),
  bans: v.object({ begun: count, active: count }),
  overQuota: count,
  accounts: v.object({ count, used: bytes, reserved: bytes }),
  uploads: v.object({ committed: count, unfinished: count, moving: count, staged: bytes }),
  /** Absent without TLS, and from older servers. */
  certificate: v.optional(v.object({
    until: v.optional(time),
    /** Absent without ACME. */
    renewal: v.optional(v.object({
      domains: v.array(v.string()),
      next: time,
      failures: count,
      failed: v.optional(v.object({ at: time, why: v.string() })),
    })),
  })),
});

/** Counts one verb's requests at one door, by outcome, with their durations. */
export const requestStats = v.object({
  door: v.string(),
  verb: v.string(),
  count,
  outcomes: v.record(v.string(), count),
  seconds,
  p50: seconds,
  p99: seconds,
});

/** A connection, and its request under way. */
export const sessionStatus = v.object({
  account: v.nullable(v.string()),
  door: v.string(),
  address: v.string(),
  since: time,
  verb: v.nullable(v.string()),
  path: v.nullable(v.string()),
  bytes,
});
