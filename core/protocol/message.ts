/**
 * The messages of BARGE/1: the schemas of each verb's request and answer. PROTOCOL.md describes them.
 *
 * Both sides check received frames with these schemas: unknown fields are dropped, a missing or
 * ill-typed field is a `protocol` error, an unknown verb is `unsupported`.
 */
import * as v from "valibot";
import { BargeError } from "../error.ts";
import { check } from "./check.ts";
import { errorFromWire } from "./failure.ts";
import {
  bytes,
  count,
  key,
  nonce,
  overwrite,
  path,
  salt,
  seconds,
  sha256,
  time,
  undigested,
  wireError,
} from "./field.ts";
import type { FrameValue } from "./frame.ts";
import { scopeRequest } from "./scope.ts";
import {
  auditRecord,
  entry,
  issuedToken,
  omission,
  partial,
  requestStats,
  server,
  sessionStatus,
  usage,
  verifier,
} from "./record.ts";

/** The protocol's version. */
export const version = 1;

/** The most bytes of an eager body: one that PUT sends at once, without waiting for "go on". */
export const maxEagerBytes = 256 * 1024;

/** The most files, and bytes of files, of one `put-many` or `get-many`. */
export const batchLimits = { files: 64, bytes: 1024 * 1024 };

const body = v.union([bytes, v.literal("chunked")]);
const flag = v.optional(v.boolean(), false);
const fileToPut = v.object({ path, size: bytes, modified: v.optional(time), sha256 });
const stored = v.object({ size: bytes, sha256, modified: time, replaced: v.boolean() });

/** Identifies the certificate that the server has shown over TLS (net/channel_binding.ts). */
const binding = v.optional(v.pipe(v.string(), v.maxLength(200)));

/** A code of the second factor, or a recovery code. */
const code = v.pipe(v.string(), v.maxLength(100));
/** The proof of a password by `auth`, for a change of the second factor. */
const passwordProof = { proof: key, binding, code };

/** Makes the schema of a verb's request. */
function request<V extends string, Fields extends v.ObjectEntries = Record<never, never>>(
  verb: V,
  fields: Fields = {} as Fields,
) {
  return v.object({ verb: v.literal(verb), ...fields });
}

const requests = {
  hello: request("hello", { version: count, agent: v.optional(v.string(), "") }),
  auth: request("auth", {
    mechanism: v.picklist(["password", "token"]),
    account: v.string(),
    owner: v.optional(v.string()),
    nonce,
  }),
  proof: request("proof", { proof: key, binding, code: v.optional(code) }),
  register: request("register", { account: v.string(), verifier, limit: v.optional(bytes) }),
  list: request("list", { path, recursive: flag }),
  stat: request("stat", { path }),
  /** `verifies`: the client compares the digest of all bytes, and uses none of them before. */
  get: request("get", { path, offset: v.optional(bytes, 0), verifies: flag }),
  put: v.pipe(
    request("put", {
      path,
      size: v.nullable(bytes),
      modified: v.optional(time),
      overwrite: v.optional(overwrite, "always"),
      body: v.optional(body),
    }),
    v.check(
      ({ size, body }) => body === undefined || (body === size && body <= maxEagerBytes),
      `an eager body must be size bytes, at most ${maxEagerBytes}`,
    ),
  ),
  /** Small files that share the cost of one request. Each succeeds or fails by itself. */
  "put-many": v.pipe(
    request("put-many", {
      files: v.pipe(v.array(fileToPut), v.minLength(1), v.maxLength(batchLimits.files)),
      overwrite: v.optional(overwrite, "always"),
      body: bytes,
    }),
    v.check(
      ({ files, body }) => body === files.reduce((sum, { size }) => sum + size, 0),
      "a body must be the sizes of its files",
    ),
    v.check(
      ({ files }) => new Set(files.map(({ path }) => path)).size === files.length,
      "no path may occur twice",
    ),
    v.check(
      ({ body }) => body <= batchLimits.bytes,
      `a body must have at most ${batchLimits.bytes} bytes`,
    ),
  ),
  "get-many": request("get-many", {
    paths: v.pipe(v.array(path), v.minLength(1), v.maxLength(batchLimits.files)),
  }),
  copy: request("copy", { from: path, to: path, overwrite: v.optional(overwrite, "always") }),
  move: request("move", { from: path, to: path, overwrite: v.optional(overwrite, "always") }),
  remove: request("remove", { path, recursive: flag }),
  mkdir: request("mkdir", { path, parents: flag, modified: v.optional(time) }),
  quota: request("quota"),
  uploads: request("uploads"),
  drop: request("drop", { path }),
  status: request("status"),
  digest: request("digest", {
    path,
    algorithm: v.optional(v.picklist(["sha256", "md5"]), "sha256"),
    fresh: flag,
  }),
  grow: request("grow", { limit: bytes }),
  /** The server refuses a request without a proof, which older clients omit. */
  passwd: request("passwd", { verifier, proof: v.optional(key), binding }),
  token: v.variant("action", [
    request("token", { action: v.literal("issue"), label: v.string(), ...scopeRequest }),
    request("token", { action: v.literal("revoke"), id: v.string() }),
  ]),
  tokens: request("tokens"),
  totp: request("totp"),
  /** Changes the second factor. It needs no login, but a proof of the password after `auth`. */
  "set-totp": v.variant("action", [
    request("set-totp", {
      action: v.literal("enable"),
      secret: v.pipe(v.string(), v.maxLength(200)),
      ...passwordProof,
    }),
    request("set-totp", { action: v.literal("disable"), ...passwordProof }),
    request("set-totp", { action: v.literal("recovery"), ...passwordProof }),
  ]),
  audit: request("audit", { since: v.optional(time), account: v.optional(v.string()) }),
  ping: request("ping"),
  bye: request("bye"),
} as const;

/** The fields of each verb's answer, without `ok: true`. */
const answers = {
  hello: v.object({
    version: count,
    agent: v.string(),
    register: v.boolean(),
    eager: bytes,
    /** The most files and bytes of one `put-many` or `get-many`; absent: the server has no such verbs. */
    many: v.optional(v.object({ files: count, bytes })),
    /** The seconds between the keep-alives of a client that pauses, and its longest pause. */
    pause: v.optional(v.object({ every: seconds, most: seconds })),
    /** The fewest characters of a new password, which the client checks. */
    minPassword: v.optional(count),
    /** The kind of binding that a `proof` must have on this connection; absent: none. */
    binding: v.optional(v.string()),
    /** Whether tokens can have a scope; absent: the server ignores the scope of a token to issue. */
    scopes: v.optional(v.boolean()),
    /** Whether the server compares the digests of the parts of a file that it reads, unless the client verifies it. */
    parts: v.optional(v.boolean()),
  }),
  auth: v.object({ nonce, salt, n: count, r: count, p: count }),
  proof: v.object({ account: v.string(), role: v.picklist(["user", "admin"]), signature: key }),
  register: v.object({ account: v.string(), limit: v.nullable(bytes) }),
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
  /** "Go on": the client sends its body from `offset`, or from 0 if its bytes before the offset differ. */
  go: v.object({ offset: bytes, prefix: v.nullable(sha256) }),
  put: stored,
  "put-many": v.object({ failed: v.array(v.object({ file: count, error: wireError })) }),
  "get-many": v.object({
    /** In the order of the paths. Null: the file does not fit into this answer; request it alone. */
    files: v.array(v.union([
      v.object({ size: bytes, modified: time, sha256, undigested: v.optional(undigested) }),
      v.object({ error: wireError }),
      v.null(),
    ])),
    body: bytes,
  }),
  copy: stored,
  move: v.object({}),
  remove: v.object({ removed: count }),
  mkdir: v.object({ created: v.boolean() }),
  quota: usage,
  uploads: v.object({ uploads: v.array(partial), more: v.boolean() }),
  drop: v.object({}),
  /** Several frames: `server` in the first, then `requests`, then `sessions`. */
  status: v.object({
    server: v.optional(server),
    requests: v.array(requestStats),
    sessions: v.array(sessionStatus),
    more: v.boolean(),
  }),
  digest: v.object({ algorithm: v.string(), digest: v.string(), size: bytes }),
  grow: usage,
  passwd: v.object({}),
  token: v.object({ id: v.string(), token: v.nullable(v.string()) }),
  tokens: v.object({ tokens: v.array(issuedToken), more: v.boolean() }),
  totp: v.object({ enabled: v.boolean(), required: v.boolean(), recoveryCodes: count }),
  /** `codes`: the new recovery codes; none for `disable`. */
  "set-totp": v.object({ account: v.string(), signature: key, codes: v.array(v.string()) }),
  audit: v.object({ records: v.array(auditRecord), more: v.boolean() }),
  ping: v.object({}),
  bye: v.object({}),
} as const;

/** Frames before and after a body, which are neither a request nor an answer. */
const bodyFrames = {
  /** The client's answer to "go on": its body begins at `offset`, and may hold keep-alives. */
  from: v.object({ offset: bytes, body, pauses: v.optional(v.boolean()) }),
  /** Before `from`: the client still hashes its bytes before the offset. */
  alive: v.object({ alive: v.literal(true) }),
  /**
   * After each body: the SHA-256 of the whole file, not only of the bytes that were sent. Null cancels
   * an upload, except with `whole`: then the declared size alone proves that all bytes arrived.
   */
  trailer: v.object({ sha256: v.nullable(sha256), whole: v.optional(v.boolean()) }),
} as const;

export type Trailer = v.InferOutput<typeof bodyFrames.trailer>;
export type Verb = keyof typeof requests;
export type Request<V extends Verb = Verb> = { [K in V]: v.InferOutput<typeof requests[K]> }[V];
export type RequestInput<V extends Verb = Verb> = { [K in V]: v.InferInput<typeof requests[K]> }[V];
export type AnswerName = keyof typeof answers;
export type Answer<V extends AnswerName> = v.InferOutput<typeof answers[V]>;
export type Entry = v.InferOutput<typeof entry>;
export type Omission = v.InferOutput<typeof omission>;
export type Verifier = v.InferOutput<typeof verifier>;
export type Overwrite = v.InferOutput<typeof overwrite>;
export type Server = v.InferOutput<typeof server>;
export type RequestStats = v.InferOutput<typeof requestStats>;
export type SessionStatus = v.InferOutput<typeof sessionStatus>;
export type PartialUpload = v.InferOutput<typeof partial>;
export type Usage = Answer<"quota">;
export type BodyFrame = keyof typeof bodyFrames;

/** All verbs of the protocol. */
export const verbs = Object.keys(requests) as readonly Verb[];

/**
 * Returns a frame as a request.
 *
 * @throws {BargeError} `unsupported` for an unknown verb, mechanism or algorithm; `protocol` for
 *   fields that do not fit
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
 * Returns a request's verb, before its fields are checked.
 *
 * @throws {BargeError} `protocol` where it is missing, `unsupported` where it is unknown
 */
export function verbOf({ verb }: FrameValue): Verb {
  if (typeof verb !== "string") throw new BargeError("protocol", "a request has no verb");
  if (Object.hasOwn(requests, verb)) return verb as Verb;
  throw new BargeError("unsupported", `unknown verb ${JSON.stringify(verb.slice(0, 40))}`);
}

/**
 * Returns a frame as the answer to a verb.
 *
 * @throws {BargeError} the failure that the answer reports; `protocol` for fields that do not fit
 */
export function parseAnswer<V extends AnswerName>(verb: V, value: FrameValue): Answer<V> {
  if (value.ok === true) return check(answers[verb], value, verb) as Answer<V>;
  throw errorFromWire(check(wireError, value.error, "answer"));
}

/** Returns a frame that belongs to a body. @throws {BargeError} `protocol` */
export function parseBodyFrame<K extends BodyFrame>(
  part: K,
  value: FrameValue,
): v.InferOutput<typeof bodyFrames[K]> {
  return check(bodyFrames[part], value, part) as v.InferOutput<typeof bodyFrames[K]>;
}
