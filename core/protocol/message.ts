/**
 * The messages of BARGE/1: what each verb asks and what it answers, as schemas.
 *
 * Both sides parse what arrives with them: unknown fields are dropped, missing or ill-typed ones
 * are a `protocol` error, an unknown verb is `unsupported`. PROTOCOL.md says the same in prose.
 */
import * as v from "valibot";
import { BargeError, isKind, type Kind } from "../error.ts";
import {
  bytes,
  count,
  key,
  nonce,
  overwrite,
  path,
  salt,
  sha256,
  time,
  undigested,
  wireError,
} from "./field.ts";
import type { FrameValue } from "./frame.ts";
import { getMany, gotMany, putMany, wasPut } from "./many.ts";
import { ownCosts } from "./scram.ts";

/** The version that this code speaks. */
export const version = 1;

/** A PUT of at most this many bytes may send its body at once, without waiting for "go on". */
export const eagerLimit = 256 * 1024;

const limit = v.nullable(bytes);
const body = v.union([bytes, v.literal("chunked")]);
const role = v.picklist(["user", "admin"]);

/**
 * What is kept of a password; the password can't be had from it. It comes from a stranger, and
 * doors whose protocols carry the password run scrypt with its costs: they must be the server's.
 */
const verifier = v.pipe(
  v.object({ salt, n: count, r: count, p: count, storedKey: key, serverKey: key }),
  v.check(
    (it) => ownCosts(it),
    "a verifier has scrypt costs n=32768, r=8, p=1 and a salt of 16 bytes",
  ),
);

/** One file or folder, as every door shows it. */
const entry = v.object({
  name: v.string(),
  type: v.picklist(["file", "dir"]),
  size: bytes,
  modified: time,
  owner: v.nullable(v.string()),
  sha256: v.nullable(sha256),
});

/** Entries that a listing leaves out: they are on the server's disk and can't be shown. */
const omission = v.object({
  /** Names that are not valid UTF-8. */
  unnamed: count,
  /** Links, sockets, pipes, devices. */
  special: count,
  /** The path of one of them, relative to the listed folder; illegible bytes are U+FFFD. */
  example: v.string(),
});

/** A partial upload of the account that asks. */
const partial = v.object({
  path,
  offset: bytes,
  size: v.nullable(bytes),
  /** Is somebody sending it at this moment? */
  busy: v.boolean(),
  /** When it is dropped if nobody goes on with it. */
  expires: time,
});

const usage = {
  account: v.string(),
  used: bytes,
  reserved: bytes,
  limit,
  left: limit,
  /** Files, folders and partial uploads, and how many there may be. Older servers do not say. */
  entries: v.optional(count),
  entryLimit: v.optional(v.nullable(count)),
};

/** How the server is: `status`'s numbers that there is one of. */
const server = v.object({
  version: v.string(),
  started: time,
  now: time,
  workers: count,
  restarts: count,
  memory: bytes,
  connections: v.object({ open: count, opened: count, refused: count }),
  doors: v.array(v.object({
    door: v.string(),
    open: count,
    opened: count,
    refused: count,
    received: bytes,
    sent: bytes,
  })),
  logins: v.object({ ok: count, failed: count }),
  bans: v.object({ begun: count, active: count }),
  overQuota: count,
  accounts: v.object({ count, used: bytes, reserved: bytes }),
  uploads: v.object({ committed: count, unfinished: count, moving: count, staged: bytes }),
});
const seconds = v.pipe(v.number(), v.finite(), v.minValue(0));
/** What became of one verb's requests at one door. */
const asked = v.object({
  door: v.string(),
  verb: v.string(),
  count,
  outcomes: v.record(v.string(), count),
  seconds,
  p50: seconds,
  p99: seconds,
});
/** Somebody who is connected, and the request under way. */
const present = v.object({
  account: v.nullable(v.string()),
  door: v.string(),
  address: v.string(),
  since: time,
  verb: v.nullable(v.string()),
  path: v.nullable(v.string()),
  bytes,
});

/** Over TLS: which certificate the client has been shown (net/channel_binding.ts). */
const binding = v.optional(v.pipe(v.string(), v.maxLength(200)));

const requests = {
  hello: v.object({ verb: v.literal("hello"), version: count, agent: v.optional(v.string(), "") }),
  auth: v.object({
    verb: v.literal("auth"),
    mechanism: v.picklist(["password", "token"]),
    account: v.string(),
    nonce,
  }),
  proof: v.object({
    verb: v.literal("proof"),
    proof: key,
    binding,
  }),
  register: v.object({
    verb: v.literal("register"),
    account: v.string(),
    verifier,
    limit: v.optional(bytes),
  }),
  list: v.object({ verb: v.literal("list"), path, recursive: v.optional(v.boolean(), false) }),
  stat: v.object({ verb: v.literal("stat"), path }),
  get: v.object({ verb: v.literal("get"), path, offset: v.optional(bytes, 0) }),
  put: v.pipe(
    v.object({
      verb: v.literal("put"),
      path,
      size: v.nullable(bytes),
      modified: v.optional(time),
      overwrite: v.optional(overwrite, "always"),
      body: v.optional(body),
    }),
    v.check(
      ({ size, body }) => body === undefined || (body === size && body <= eagerLimit),
      `an eager body must be size bytes, at most ${eagerLimit}`,
    ),
  ),
  "put-many": putMany,
  "get-many": getMany,
  copy: v.object({
    verb: v.literal("copy"),
    from: path,
    to: path,
    overwrite: v.optional(overwrite, "always"),
  }),
  move: v.object({
    verb: v.literal("move"),
    from: path,
    to: path,
    overwrite: v.optional(overwrite, "always"),
  }),
  remove: v.object({ verb: v.literal("remove"), path, recursive: v.optional(v.boolean(), false) }),
  mkdir: v.object({
    verb: v.literal("mkdir"),
    path,
    parents: v.optional(v.boolean(), false),
    modified: v.optional(time),
  }),
  quota: v.object({ verb: v.literal("quota") }),
  uploads: v.object({ verb: v.literal("uploads") }),
  drop: v.object({ verb: v.literal("drop"), path }),
  status: v.object({ verb: v.literal("status") }),
  digest: v.object({
    verb: v.literal("digest"),
    path,
    algorithm: v.optional(v.picklist(["sha256", "md5"]), "sha256"),
    fresh: v.optional(v.boolean(), false),
  }),
  grow: v.object({ verb: v.literal("grow"), limit: bytes }),
  /** Without a proof, which older clients leave out, it is refused. */
  passwd: v.object({ verb: v.literal("passwd"), verifier, proof: v.optional(key), binding }),
  token: v.variant("action", [
    v.object({ verb: v.literal("token"), action: v.literal("issue"), label: v.string() }),
    v.object({ verb: v.literal("token"), action: v.literal("revoke"), id: v.string() }),
  ]),
  ping: v.object({ verb: v.literal("ping") }),
  bye: v.object({ verb: v.literal("bye") }),
} as const;

/** The fields of each verb's answer, beside `ok: true`. */
const answers = {
  hello: v.object({
    version: count,
    agent: v.string(),
    register: v.boolean(),
    eager: bytes,
    /** How many files, and bytes of them, `put-many` and `get-many` take; without it there are none. */
    many: v.optional(v.object({ files: count, bytes })),
    /**
     * The seconds between the signs of life of a client that pauses, and the seconds that it may
     * pause in all.
     */
    pause: v.optional(v.object({ every: seconds, most: seconds })),
    /** The fewest characters of a new password: only the client knows how many there are. */
    minPassword: v.optional(count),
    /** The kind of binding that a `proof` must have on this connection; without it there is none. */
    binding: v.optional(v.string()),
  }),
  auth: v.object({ nonce, salt, n: count, r: count, p: count }),
  proof: v.object({ account: v.string(), role, signature: key }),
  register: v.object({ account: v.string(), limit }),
  list: v.object({ entries: v.array(entry), more: v.boolean(), omitted: v.optional(omission) }),
  stat: v.object({
    entry: v.nullable(entry),
    upload: v.nullable(v.object({ offset: bytes, size: v.nullable(bytes) })),
  }),
  get: v.object({
    size: bytes,
    offset: bytes,
    modified: time,
    sha256: v.nullable(sha256),
    undigested: v.optional(undigested),
    body: bytes,
  }),
  /** "Go on": the client sends its body from `offset`, or from 0 if its bytes before that differ. */
  go: v.object({ offset: bytes, prefix: v.nullable(sha256) }),
  put: v.object({ size: bytes, sha256, modified: time, replaced: v.boolean() }),
  "put-many": wasPut,
  "get-many": gotMany,
  copy: v.object({ size: bytes, sha256, modified: time, replaced: v.boolean() }),
  move: v.object({}),
  remove: v.object({ removed: count }),
  mkdir: v.object({ created: v.boolean() }),
  quota: v.object(usage),
  uploads: v.object({ uploads: v.array(partial), more: v.boolean() }),
  drop: v.object({}),
  /** Comes in several frames: `server` in the first, then `requests`, then `sessions`. */
  status: v.object({
    server: v.optional(server),
    requests: v.array(asked),
    sessions: v.array(present),
    more: v.boolean(),
  }),
  digest: v.object({ algorithm: v.string(), digest: v.string(), size: bytes }),
  grow: v.object(usage),
  passwd: v.object({}),
  token: v.object({ id: v.string(), token: v.nullable(v.string()) }),
  ping: v.object({}),
  bye: v.object({}),
} as const;

/** Frames that are neither a request nor an answer: they frame a body. */
const others = {
  /** A client's answer to "go on": the body that follows begins at `offset`, and may have signs of life in it. */
  from: v.object({ offset: bytes, body, pauses: v.optional(v.boolean()) }),
  /** In place of `from`: the client is alive, and still compares the bytes that the server has. */
  alive: v.object({ alive: v.literal(true) }),
  /**
   * Behind each body: the SHA-256 of the whole file, not only of the bytes that were sent. Null gives
   * an upload up, unless it is said to be `whole`: then its declared size is all that proves it.
   */
  trailer: v.object({ sha256: v.nullable(sha256), whole: v.optional(v.boolean()) }),
} as const;

export type Trailer = v.InferOutput<typeof others.trailer>;
export type Verb = keyof typeof requests;
export type Request<V extends Verb = Verb> = { [K in V]: v.InferOutput<typeof requests[K]> }[V];
export type RequestInput<V extends Verb = Verb> = { [K in V]: v.InferInput<typeof requests[K]> }[V];
export type Answered = keyof typeof answers;
export type Answer<V extends Answered> = v.InferOutput<typeof answers[V]>;
export type Entry = v.InferOutput<typeof entry>;
export type Omission = v.InferOutput<typeof omission>;
export type Verifier = v.InferOutput<typeof verifier>;
export type Overwrite = v.InferOutput<typeof overwrite>;
export type Server = v.InferOutput<typeof server>;
export type Asked = v.InferOutput<typeof asked>;
export type Present = v.InferOutput<typeof present>;
export type PartialUpload = v.InferOutput<typeof partial>;
export type Usage = Answer<"quota">;
export type Other = keyof typeof others;

/** Every verb of the protocol. */
export const verbs = Object.keys(requests) as readonly Verb[];

/**
 * Checks a frame as a request.
 *
 * @throws {BargeError} `unsupported` for a verb, mechanism or algorithm that is not known, `protocol`
 *   for fields that do not fit
 *
 * @example
 * ```ts
 * import { parseRequest } from "./message.ts";
 * const request = parseRequest({ verb: "list", path: "/home" });
 * if (request.verb !== "list" || request.recursive) throw new Error();
 * ```
 */
export function parseRequest(value: FrameValue): Request {
  const verb = verbOf(value);
  return check(requests[verb], value, verb) as Request;
}

/**
 * Finds a request's verb, before its fields are checked.
 *
 * @throws {BargeError} `protocol` where it is missing, `unsupported` where it is unknown
 */
export function verbOf({ verb }: FrameValue): Verb {
  if (typeof verb !== "string") throw new BargeError("protocol", "a request has no verb");
  if (Object.hasOwn(requests, verb)) return verb as Verb;
  throw new BargeError("unsupported", `unknown verb ${JSON.stringify(verb.slice(0, 40))}`);
}

/**
 * Checks a frame as the answer to a verb; an answer that carries a failure is thrown.
 *
 * @throws {BargeError} the peer's failure, or `protocol` for fields that do not fit
 */
export function parseAnswer<V extends Answered>(verb: V, value: FrameValue): Answer<V> {
  if (value.ok === true) return check(answers[verb], value, verb) as Answer<V>;
  throw parseFailure(value);
}

/** Checks a frame that belongs to a body. @throws {BargeError} `protocol` */
export function parseOther<K extends Other>(
  what: K,
  value: FrameValue,
): v.InferOutput<typeof others[K]> {
  return check(others[what], value, what) as v.InferOutput<typeof others[K]>;
}

/**
 * What a failed answer says. The cause stays where it happened. What is too long is cut, so that a
 * failure fits into a frame, whatever the request that it quotes. Lone surrogates become U+FFFD:
 * many JSON parsers refuse a whole frame for one.
 */
export function failure({ kind, message, op, path, account, hint }: BargeError): object {
  return {
    ok: false,
    error: {
      kind,
      message: cut(message, 2000),
      op: op && cut(op, 100),
      path: path && cut(path, 4096),
      account: account && cut(account, 255),
      hint: hint && cut(hint, 500),
    },
  };
}

function cut(text: string, length: number): string {
  return text.slice(0, length).toWellFormed();
}

function parseFailure(value: FrameValue): BargeError {
  return failureOf(check(wireError, value.error, "answer"));
}

/** What a failure says, as an error. */
export function failureOf(
  { kind, message, ...facts }: v.InferOutput<typeof wireError>,
): BargeError {
  const known: Kind = isKind(kind) ? kind : "refused";
  return new BargeError(known, message, facts);
}

function check<S extends v.GenericSchema>(
  schema: S,
  value: unknown,
  what: string,
): v.InferOutput<S> {
  const result = v.safeParse(schema, value, { abortEarly: true });
  if (result.success) return result.output;
  const issue = result.issues[0];
  const field = v.getDotPath(issue);
  if (issue.type === "picklist" && typeof issue.input === "string") {
    const value = JSON.stringify(issue.input.slice(0, 40));
    throw new BargeError("unsupported", `unknown ${field} ${value}`, { op: what });
  }
  throw new BargeError("protocol", explain(issue, field), { op: what });
}

/** Says what was expected. Of what came only its type: it may be long, or secret. */
function explain(issue: v.BaseIssue<unknown>, field: string | null): string {
  const what = field ? `field ${field}` : "message";
  if (issue.input === undefined) return `${what} is missing`;
  if (issue.kind === "schema" && issue.expected) {
    const got = issue.input === null ? "null" : typeof issue.input;
    return `${what} must be ${issue.expected.toLowerCase()}, not ${got}`;
  }
  const why = /^Invalid /.test(issue.message) ? "out of range" : issue.message;
  return field ? `${what}: ${why}` : why;
}
