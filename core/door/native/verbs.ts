/** The verbs of BARGE/1 and their handlers. */
import { BargeError } from "../../error.ts";
import {
  type Answer,
  batchLimits,
  maxEagerBytes,
  type Request,
  type Verb,
  version,
} from "../../protocol/message.ts";
import { bindingName } from "../../net/binding_name.ts";
import { defaultMinPasswordLength } from "../../protocol/password.ts";
import { parseTime } from "../../protocol/time.ts";
import { auditTrail } from "../../session/audit.ts";
import { auditFields } from "../../session/audit_fields.ts";
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
import { token, tokenFacts, tokens } from "../../login/token.ts";
import { totpStatus } from "../../login/totp.ts";
import { dropPartialUpload, partialUploads } from "../../upload/partial_upload.ts";
import type { Context, Handler, UserContext } from "./context.ts";
import { serveGet } from "./get.ts";
import { serveGetMany } from "./get_many.ts";
import { paged } from "./pages.ts";
import { servePut, storedAnswer } from "./put.ts";
import { servePutMany } from "./put_many.ts";
import { needPrivacy } from "./privacy.ts";
import { serveSetTotp } from "./set_totp.ts";
import { serveStatus } from "./status.ts";

export const verbs: { readonly [V in Verb]: Handler<V> } = {
  hello: { login: false, handle: hello },
  auth: {
    login: false,
    async handle(c, request) {
      await c.dropChallenge();
      c.challenge = await challenge(c.store, request, c.host, c.tlsBindings);
      return c.challenge.answer;
    },
  },
  proof: { login: false, handle: proof },
  register: {
    login: false,
    async handle(c, request) {
      needPrivacy(c, "register");
      const { name: account, limit } = await register(c.store, request, c.host, "native");
      return { account, limit } satisfies Answer<"register">;
    },
  },
  list: { handle: serveList },
  stat: { handle: (c, { path }) => stat(c.session, path) },
  get: { handle: serveGet },
  put: { overlaps: true, body: true, handle: servePut },
  "put-many": { overlaps: true, body: true, handle: servePutMany },
  "get-many": { handle: serveGetMany },
  copy: {
    handle: async (c, { from, to, overwrite }) =>
      storedAnswer(await copy(c.session, from, to, overwrite, c.ended.signal)),
  },
  move: {
    async handle(c, { from, to, overwrite }) {
      await move(c.session, from, to, overwrite);
      return {};
    },
  },
  remove: {
    async handle(c, { path, recursive }) {
      return { removed: await remove(c.session, path, recursive) };
    },
  },
  mkdir: { handle: async (c, request) => ({ created: await mkdir(c.session, request) }) },
  quota: { handle: (c) => quota(c.session) },
  uploads: { handle: (c) => paged(c.output, uploadRows(c.session), "uploads") },
  drop: {
    async handle(c, { path }) {
      await dropPartialUpload(c.session, path);
      return {};
    },
  },
  status: { handle: serveStatus },
  digest: { handle: (c, request) => digest(c.session, request, c.ended.signal) },
  grow: { handle: (c, { limit }) => grow(c.session, limit) },
  passwd: { handle: servePasswd },
  token: { handle: (c, request) => token(c.session, request) },
  totp: { handle: async ({ session }) => ({ ...await totpStatus(session) }) },
  "set-totp": { login: false, handle: serveSetTotp },
  tokens: {
    handle: async (c) => paged(c.output, [(await tokens(c.session)).map(tokenFacts)], "tokens"),
  },
  audit: {
    handle: (c, request) => paged(c.output, auditRows(c.session, request), "records"),
  },
  ping: { login: false, handle: () => ({}) },
  bye: { login: false, handle: () => ({}) },
};

function hello(c: Context, request: Request<"hello">): Answer<"hello"> {
  if (request.version < version) {
    const why = `version ${request.version}; this server speaks ${version}`;
    throw new BargeError("unsupported", why);
  }
  c.greeted = true;
  const { settings: { allowRegister: register, minPassword }, hooks: { check } } = c.store;
  return {
    version,
    agent: "barge",
    register,
    eager: maxEagerBytes,
    // A check may take long for each file, so that a batch with several would be answered too late.
    many: { ...batchLimits, files: check ? 1 : batchLimits.files },
    pause: c.pauses?.announced,
    minPassword: minPassword ?? defaultMinPasswordLength,
    binding: c.tlsBindings.length > 0 ? bindingName : undefined,
    scopes: true,
    parts: c.store.tree.comparesParts || undefined,
  };
}

async function proof(
  c: Context,
  { proof, binding, code }: Request<"proof">,
): Promise<Answer<"proof">> {
  const pending = c.challenge;
  c.challenge = undefined; // a challenge takes one proof
  if (!pending) throw new BargeError("protocol", "a proof without auth before it");
  const pause = (ms: number) => c.pause(ms);
  const { session, answer } = await pending.prove(proof, pause, binding, { code });
  c.admit(session);
  c.account = answer.account;
  return answer;
}

/**
 * Changes the password. The client proves the old one again, by a challenge of `auth` on this
 * connection. The login of the connection then rests on the new password.
 */
async function servePasswd(
  c: UserContext,
  { verifier, proof, binding }: Request<"passwd">,
): Promise<Answer<"passwd">> {
  needPrivacy(c, "change password");
  const { session } = c;
  const pending = c.challenge;
  c.challenge = undefined;
  await needPasswordLogin(session);
  if (proof === undefined) {
    const hint = "use a newer client, which does that";
    throw new BargeError("denied", "the old password has to be proved once more", { hint });
  }
  if (!pending) throw new BargeError("protocol", "a proof without auth before it");
  const pause = (ms: number) => c.pause(ms);
  const { session: proven } = await pending.prove(proof, pause, binding, { again: session });
  if (proven.id !== session.id) {
    throw new BargeError("denied", "that is the password of another account");
  }
  session.credential = await changePassword(proven, verifier);
  return {};
}

async function serveList(c: UserContext, { path, recursive }: Request<"list">): Promise<object> {
  const omitted = new Omitted();
  const last = await paged(c.output, list(c.session, path, recursive, omitted), "entries");
  return { ...last, omitted: omitted.omission };
}

async function* auditRows(
  session: Session,
  { since, account }: Request<"audit">,
): AsyncGenerator<object[], void, void> {
  const query = { account, since: since === undefined ? undefined : parseTime(since) };
  for await (const records of auditTrail(session, query)) yield records.map(auditFields);
}

async function* uploadRows(session: Session): AsyncGenerator<object[], void, void> {
  for await (const { path, offset, size, busy, expires } of partialUploads(session)) {
    yield [{ path, offset, size, busy, expires: new Date(expires).toISOString() }];
  }
}
