/**
 * The schemas of the API's input and output. They check the input, and the description of the API
 * (openapi.ts) is made of them.
 */
import * as v from "valibot";
import { accesses, maxNetworks, scopeDoors } from "../../../protocol/scope.ts";

export const bytes = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
export const limit = v.pipe(v.nullable(bytes), v.description("Bytes; null for no limit"));
const time = v.pipe(v.string(), v.isoTimestamp());
const sha256 = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/), v.description("In hex"));
const path = v.pipe(v.string(), v.startsWith("/"), v.description("/home/..., /public/..."));
export const account = v.pipe(v.string(), v.regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/));
export const password = v.pipe(v.string(), v.minLength(1), v.maxLength(1024));
export const role = v.picklist(["user", "admin"]);
const overwrite = v.optional(
  v.pipe(
    v.union([v.picklist(["always", "never"]), v.strictObject({ sha256 })]),
    v.description(
      "Whether to replace a file of that name: always, never, or if it has this digest",
    ),
  ),
  "never",
);

/** A switch in a query: on if it is present, unless its value is `0` or `false`. */
export const flag = v.optional(
  v.pipe(
    v.picklist(["", "1", "true", "0", "false"]),
    v.transform((text) => text !== "0" && text !== "false"),
  ),
  "0",
);

/** The limits of a token; null: none. */
const scope = {
  access: v.picklist(accesses),
  path: v.nullable(path),
  doors: v.nullable(v.array(v.picklist(scopeDoors))),
  from: v.nullable(v.array(v.string())),
  expires: v.nullable(time),
};

export const entry = v.object({
  name: v.string(),
  type: v.picklist(["file", "dir"]),
  size: bytes,
  modified: time,
  owner: v.nullable(v.string()),
  sha256: v.nullable(sha256),
});

/** Entries that a listing leaves out: names that are not valid UTF-8, links, special files. */
const omitted = v.object({ unnamed: v.number(), special: v.number(), example: v.string() });

export const listing = v.object({ path, entries: v.array(entry), omitted: v.optional(omitted) });

export const pathState = v.object({
  path,
  entry: v.nullable(entry),
  upload: v.pipe(
    v.nullable(v.object({ offset: bytes, size: v.nullable(bytes) })),
    v.description("A partial upload, which can be resumed by tus or at any other door"),
  ),
});

export const written = v.object({
  path,
  size: bytes,
  sha256,
  modified: time,
  replaced: v.boolean(),
});

export const partialUpload = v.object({
  path,
  offset: bytes,
  size: v.pipe(v.nullable(bytes), v.description("Null while it is unknown")),
  expires: time,
});

const entryFacts = {
  entries: v.pipe(bytes, v.description("Files, folders and partial uploads")),
  entryLimit: v.pipe(v.nullable(bytes), v.description("The most entries; null for no limit")),
};

export const usage = v.object({
  account: v.string(),
  used: bytes,
  reserved: bytes,
  limit,
  left: limit,
  ...entryFacts,
});

export const self = v.object({
  name: account,
  role,
  created: time,
  withPassword: v.pipe(v.boolean(), v.description("False for a login by token")),
  scope: v.pipe(v.object(scope), v.description("The limits of the token of this login")),
  totp: v.pipe(v.boolean(), v.description("Whether the account has a second factor")),
  quota: usage,
});

export const relocation = v.strictObject({ from: path, to: path, overwrite });
export const relocated = v.object({ from: path, to: path, files: v.optional(bytes) });
export const newFolder = v.strictObject({ path, parents: v.optional(v.boolean(), false) });
export const madeFolder = v.object({ path, created: v.boolean() });
export const quotaRaise = v.strictObject({ limit: bytes });

export const registration = v.strictObject({ name: account, password, limit: v.optional(bytes) });
export const registered = v.object({ name: account, limit });
export const newPassword = v.strictObject({
  password,
  old: v.optional(v.pipe(password, v.description("Needed unless the login was with it"))),
  code: v.optional(v.pipe(v.string(), v.maxLength(100), v.description("Of the second factor"))),
});

const networks = v.pipe(
  v.array(v.pipe(v.string(), v.maxLength(60))),
  v.minLength(1),
  v.maxLength(maxNetworks),
  v.description("Addresses and networks: 192.0.2.7, 10.0.0.0/8, 2001:db8::/32"),
);
const access = v.pipe(
  v.picklist(accesses),
  v.description(
    "append-only: new files and folders can be made, nothing that exists can be changed",
  ),
);
export const newToken = v.strictObject({
  label: v.pipe(v.string(), v.maxLength(200)),
  access: v.optional(access),
  path: v.optional(v.pipe(path, v.description("The only path that the token reaches"))),
  doors: v.optional(
    v.pipe(
      v.array(v.picklist(scopeDoors)),
      v.minLength(1),
      v.maxLength(scopeDoors.length),
      v.description("The protocols that accept the token"),
    ),
  ),
  from: v.optional(networks),
  expires: v.optional(v.pipe(v.string(), v.description("RFC 3339; default: never"))),
});
export const madeToken = v.object({ id: v.string(), token: v.string() });
export const token = v.object({
  id: v.string(),
  label: v.string(),
  created: time,
  used: v.nullable(time),
  usedFrom: v.pipe(v.nullable(v.string()), v.description("The address of the last login")),
  expired: v.boolean(),
  ...scope,
});
export const tokens = v.object({ tokens: v.array(token) });

const share = {
  id: v.pipe(
    v.string(),
    v.description("Identifies the link to its owner; it is not the link's token"),
  ),
  path,
  type: v.picklist(["file", "dir"]),
  state: v.pipe(
    v.picklist(["live", "expired", "used-up", "gone"]),
    v.description("gone: the file or folder was moved or removed"),
  ),
  password: v.pipe(v.boolean(), v.description("Whether the link has a password")),
  downloads: v.pipe(bytes, v.description("The number of downloads")),
  limit: v.pipe(v.nullable(bytes), v.description("The most downloads; null for no limit")),
  created: time,
  expires: time,
};
export const shares = v.object({ shares: v.array(v.object(share)) });
export const madeShare = v.object({ ...share, token: v.string(), url: v.string() });
export const newShare = v.strictObject({
  path,
  expires: v.optional(
    v.pipe(
      v.string(),
      v.description(
        "RFC 3339, from a minute to 366 days ahead; default: a week, or earlier with the token",
      ),
    ),
  ),
  password: v.optional(v.nullable(password)),
  downloads: v.optional(
    v.pipe(
      v.nullable(v.pipe(v.number(), v.safeInteger(), v.minValue(1), v.maxValue(1_000_000))),
      v.description("The most downloads; null for no limit"),
    ),
  ),
});

const until = v.pipe(v.nullable(v.string()), v.description("When it ends; null for never"));
const places = v.pipe(
  v.nullable(networks),
  v.description("Where it may log in from; null: anywhere"),
);

export const accountFacts = v.object({
  name: account,
  role,
  disabled: v.boolean(),
  used: bytes,
  reserved: bytes,
  limit,
  ...entryFacts,
  created: time,
  expires: v.nullable(time),
  expired: v.boolean(),
  from: v.nullable(v.array(v.string())),
  totp: v.pipe(v.boolean(), v.description("Whether it has a second factor")),
});
export const accounts = v.object({ accounts: v.array(accountFacts) });
export const newAccount = v.strictObject({
  name: account,
  password,
  role: v.optional(role, "user"),
  limit: v.optional(limit, 1_000_000),
  entryLimit: v.optional(entryFacts.entryLimit),
  expires: v.optional(until),
  from: v.optional(places),
});
export const accountChange = v.strictObject({
  password: v.optional(password),
  role: v.optional(role),
  disabled: v.optional(v.boolean()),
  limit: v.optional(limit),
  entryLimit: v.optional(entryFacts.entryLimit),
  expires: v.optional(until),
  from: v.optional(places),
  totp: v.optional(v.pipe(v.literal(false), v.description("Removes the second factor"))),
});
export const removedAccount = v.object({
  name: account,
  kept: v.pipe(v.boolean(), v.description("Whether the files of its home were moved to removed/")),
  files: bytes,
  bytes,
});

export const audit = v.object({
  records: v.array(v.object({
    id: bytes,
    time: v.pipe(time, v.description("Of the first of its events")),
    last: v.pipe(time, v.description("Of the last of its events")),
    count: v.pipe(bytes, v.description("The number of its events")),
    event: v.string(),
    account: v.pipe(v.nullable(v.string()), v.description("The account that the event is about")),
    by: v.pipe(
      v.nullable(v.string()),
      v.description("The account that acted; null for the operator, and for a failed login"),
    ),
    address: v.nullable(v.string()),
    door: v.nullable(v.string()),
    details: v.record(v.string(), v.any()),
  })),
  next: v.pipe(
    v.nullable(bytes),
    v.description("The `before` of the next page; null after the last"),
  ),
});
const wholeNumber = v.pipe(v.string(), v.regex(/^[0-9]{1,15}$/), v.transform(Number));
export const auditQuery = v.object({
  since: v.optional(v.pipe(v.string(), v.description("Only events since this time"))),
  account: v.optional(
    v.pipe(v.string(), v.maxLength(64), v.description("Only events about, or by, this account")),
  ),
  before: v.optional(v.pipe(wholeNumber, v.description("The `next` of the page before"))),
  limit: v.optional(v.pipe(wholeNumber, v.description("At most 1000; default: 100"))),
});

const nodeReport = {
  workers: bytes,
  restarts: bytes,
  memory: v.pipe(bytes, v.description("Bytes of the process")),
  connections: v.pipe(
    v.object({ open: bytes, busy: bytes, opened: bytes, refused: bytes }),
    v.description("Busy ones have a request under way; the last two count since the start"),
  ),
  received: v.pipe(bytes, v.description("Bytes of files since the start")),
  sent: bytes,
  rates: v.pipe(v.object({ received: bytes, sent: bytes }), v.description("Bytes a second")),
  logins: v.object({ ok: bytes, failed: bytes }),
};

export const nodes = v.object({
  now: time,
  nodes: v.array(v.object({
    id: v.string(),
    name: v.string(),
    state: v.picklist(["running", "stopping", "gone"]),
    bucket: v.pipe(v.boolean(), v.description("Whether it reaches the bucket")),
    version: v.string(),
    addresses: v.record(v.string(), v.string()),
    started: time,
    seen: v.pipe(time, v.description("When it reported last")),
    ...nodeReport,
  })),
  sum: v.pipe(
    v.object({ nodes: bytes, ...nodeReport }),
    v.description("Over the nodes that are not gone"),
  ),
});

export const problem = v.object({
  type: v.string(),
  title: v.string(),
  status: bytes,
  detail: v.string(),
  kind: v.string(),
  op: v.optional(v.string()),
  path: v.optional(v.string()),
  account: v.optional(v.string()),
  hint: v.optional(v.string()),
});
