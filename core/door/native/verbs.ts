/** The verbs of BARGE/1 and their handlers. */
import { BargeError } from "../../error.ts";
import {
  type Answer,
  eagerLimit,
  type Request,
  type Verb,
  version,
} from "../../protocol/message.ts";
import { isLoopback, network } from "../../net/address.ts";
import { bindingName } from "../../net/binding_name.ts";
import { encodeFrame } from "../../protocol/frame.ts";
import { many } from "../../protocol/many.ts";
import { defaultMinPassword } from "../../protocol/password.ts";
import { copy } from "../../session/copy.ts";
import { digest } from "../../session/digest.ts";
import { list } from "../../session/list.ts";
import { Omitted } from "../../session/omitted.ts";
import { challenge } from "../../login/login.ts";
import { mkdir } from "../../session/mkdir.ts";
import { move } from "../../session/move.ts";
import { changePassword, needPasswordLogin } from "../../login/change_password.ts";
import { grow, quota } from "../../session/quota.ts";
import { register } from "../../login/register.ts";
import { remove } from "../../session/remove.ts";
import { stat } from "../../session/stat.ts";
import type { Session } from "../../login/session.ts";
import { token } from "../../login/token.ts";
import { dropPartialUpload, partialUploads } from "../../upload/partial_upload.ts";
import type { Context, Handler, LoggedIn } from "./context.ts";
import { serveGet } from "./get.ts";
import { serveGetMany } from "./get_many.ts";
import { paged } from "./pages.ts";
import { servePut, written } from "./put.ts";
import { servePutMany } from "./put_many.ts";
import { serveStatus } from "./status.ts";

export const verbs: { readonly [V in Verb]: Handler<V> } = {
  hello: { login: false, handle: hello },
  auth: {
    login: false,
    async handle(c, request) {
      await c.forgetChallenge();
      c.challenge = await challenge(c.store, request, c.host, c.endPoints);
      return c.challenge.answer;
    },
  },
  proof: { login: false, handle: proof },
  register: {
    login: false,
    async handle(c, request) {
      needPrivacy(c, "register");
      const { name: account, limit } = await register(c.store, request, c.host);
      return { account, limit } satisfies Answer<"register">;
    },
  },
  list: { login: true, handle: serveList },
  stat: { login: true, handle: (c, { path }) => stat(c.session, path) },
  get: { login: true, handle: serveGet },
  put: { login: true, overlaps: true, body: true, handle: servePut },
  "put-many": { login: true, overlaps: true, body: true, handle: servePutMany },
  "get-many": { login: true, handle: serveGetMany },
  copy: {
    login: true,
    handle: async (c, { from, to, overwrite }) =>
      written(await copy(c.session, from, to, overwrite, c.ended.signal)),
  },
  move: {
    login: true,
    async handle(c, { from, to, overwrite }) {
      await move(c.session, from, to, overwrite);
      return {};
    },
  },
  remove: {
    login: true,
    handle: async (c, { path, recursive }) => ({
      removed: await remove(c.session, path, recursive),
    }),
  },
  mkdir: {
    login: true,
    handle: async (c, request) => ({ created: await mkdir(c.session, request) }),
  },
  quota: { login: true, handle: (c) => quota(c.session) },
  uploads: { login: true, handle: serveUploads },
  drop: {
    login: true,
    async handle(c, { path }) {
      await dropPartialUpload(c.session, path);
      return {};
    },
  },
  status: { login: true, handle: serveStatus },
  digest: { login: true, handle: (c, request) => digest(c.session, request, c.ended.signal) },
  grow: { login: true, handle: (c, { limit }) => grow(c.session, limit) },
  passwd: { login: true, handle: servePasswd },
  token: { login: true, handle: (c, request) => token(c.session, request) },
  ping: { login: false, handle: () => ({}) },
  bye: { login: false, handle: () => ({}) },
};

function hello(c: Context, request: Request<"hello">): Answer<"hello"> {
  if (request.version < version) {
    throw new BargeError(
      "unsupported",
      `version ${request.version}; this server speaks ${version}`,
    );
  }
  c.greeted = true;
  const { settings: { allowRegister: register, minPassword }, hooks: { check } } = c.store;
  // A check may take long for each file, so that a batch with several would be answered too late.
  const files = check ? 1 : many.files;
  const pause = c.pauses?.announced;
  return {
    version,
    agent: "barge",
    register,
    eager: eagerLimit,
    many: { ...many, files },
    pause,
    minPassword: minPassword ?? defaultMinPassword,
    binding: c.endPoints.length > 0 ? bindingName : undefined,
  };
}

/**
 * Requires TLS for a verifier: a reader could guess the password from it, and an attacker could
 * replace it on the way.
 *
 * @throws {BargeError} `refused` without TLS, off this machine
 */
function needPrivacy(c: Context, op: string): void {
  if (c.endPoints.length > 0 || isLoopback(network(c.host))) return;
  throw new BargeError("refused", "that needs TLS, and this connection has none", { op });
}

async function proof(c: Context, request: Request<"proof">): Promise<Answer<"proof">> {
  const pending = c.challenge;
  c.challenge = undefined; // a challenge takes one proof
  if (!pending) throw new BargeError("protocol", "a proof without auth before it");
  const { session, answer } = await pending.prove(
    request.proof,
    (ms) => c.pause(ms),
    request.binding,
  );
  c.admit(session);
  c.account = answer.account;
  return answer;
}

/**
 * Changes the password. The client proves the old one once more, by a challenge of `auth` on this
 * connection, which goes on with the new password.
 */
async function servePasswd(
  c: LoggedIn,
  { verifier, proof, binding }: Request<"passwd">,
): Promise<Answer<"passwd">> {
  needPrivacy(c, "change password");
  const session = c.session;
  const pending = c.challenge;
  c.challenge = undefined;
  await needPasswordLogin(session);
  if (proof === undefined) {
    throw new BargeError("denied", "the old password has to be proved once more", {
      hint: "use a newer client, which does that",
    });
  }
  if (!pending) throw new BargeError("protocol", "a proof without auth before it");
  const { session: proven } = await pending.prove(proof, (ms) => c.pause(ms), binding);
  if (proven.id !== session.id) {
    throw new BargeError("denied", "that is the password of another account");
  }
  session.credential = await changePassword(proven, verifier);
  return {};
}

async function serveList(
  c: LoggedIn,
  { path, recursive }: Request<"list">,
): Promise<object> {
  const send = (frame: object) => c.output.write(encodeFrame({ ok: true, ...frame }));
  const omitted = new Omitted();
  const last = await paged(list(c.session, path, recursive, omitted), "entries", {}, send);
  return { ...last, omitted: omitted.omission };
}

async function serveUploads(c: LoggedIn): Promise<object> {
  const send = (frame: object) => c.output.write(encodeFrame({ ok: true, ...frame }));
  return await paged(uploadRows(c.session), "uploads", {}, send);
}

async function* uploadRows(session: Session): AsyncGenerator<object[], void, void> {
  for await (const { path, offset, size, busy, expires } of partialUploads(session)) {
    yield [{ path, offset, size, busy, expires: new Date(expires).toISOString() }];
  }
}
