/** The account that is logged in: facts, quota, password, tokens; and registering one. */
import { BargeError } from "../../../error.ts";
import { makeVerifier } from "../../../protocol/verifier.ts";
import { bounded } from "../../../login/password.ts";
import {
  changePassword,
  checkPasswordLength,
  needPasswordLogin,
} from "../../../login/change_password.ts";
import { grow, quota } from "../../../session/quota.ts";
import { register } from "../../../login/register.ts";
import { token, tokens } from "../../../login/token.ts";
import { json, operation } from "./operation.ts";
import * as schemas from "./schemas.ts";

export const ownAccount = [
  operation({
    method: "GET",
    path: "/account",
    id: "whoAmI",
    summary: "Get the account that is logged in",
    login: true,
    answers: { 200: { description: "Its facts", schema: schemas.self } },
    async handle({ session }) {
      const { name, role, created } = await session.account();
      const { withPassword } = session;
      const since = new Date(created).toISOString();
      return json({ name, role, created: since, withPassword, quota: await quota(session) });
    },
  }),
  operation({
    method: "POST",
    path: "/account",
    id: "register",
    verb: "register",
    summary: "Register an account, if the server allows it",
    login: false,
    body: schemas.registration,
    answers: {
      201: { description: "The account was created", schema: schemas.registered },
      400: { description: "The password is too short", schema: schemas.problem },
      403: {
        description: "The server does not allow registration, or not that quota",
        schema: schemas.problem,
      },
      409: { description: "The name is taken", schema: schemas.problem },
    },
    async handle(exchange, { body: { name, password, limit } }) {
      const { store, access } = exchange;
      access.account = name;
      if (!store.settings.allowRegister) {
        throw new BargeError("refused", "this server does not allow registration", {
          op: "register",
        });
      }
      checkPasswordLength(store, password);
      const verifier = await bounded(
        () => makeVerifier("password", password),
        exchange.ended.signal,
        { account: name, host: exchange.host },
      );
      const request = { verb: "register", account: name, verifier, limit } as const;
      const made = await register(store, request, exchange.host);
      return json({ name: made.name, limit: made.limit }, { status: 201 });
    },
  }),
  operation({
    method: "PUT",
    path: "/account/password",
    id: "changePassword",
    verb: "passwd",
    summary:
      "Change the own password; ends all tokens and all other logins except those by SSH key",
    login: true,
    body: schemas.newPassword,
    answers: {
      204: { description: "The password was changed" },
      400: { description: "The new password is too short", schema: schemas.problem },
      403: { description: "The login was by a token", schema: schemas.problem },
    },
    async handle({ store, session, ended, host }, { body: { password } }) {
      await needPasswordLogin(session);
      checkPasswordLength(store, password);
      const who = { account: session.name, host };
      const make = () => makeVerifier("password", password);
      await changePassword(session, await bounded(make, ended.signal, who));
      return new Response(null, { status: 204 });
    },
  }),
  operation({
    method: "GET",
    path: "/quota",
    id: "quota",
    verb: "quota",
    summary: "Get the quota, and how much of it is used",
    login: true,
    answers: { 200: { description: "Bytes", schema: schemas.usage } },
    handle: async ({ session }) => json(await quota(session)),
  }),
  operation({
    method: "PUT",
    path: "/quota",
    id: "grow",
    verb: "grow",
    summary: "Raise the own quota, as far as the server allows",
    login: true,
    body: schemas.raise,
    answers: {
      200: { description: "The new quota", schema: schemas.usage },
      403: { description: "The server does not allow that quota", schema: schemas.problem },
    },
    handle: async ({ session }, { body: { limit } }) => json(await grow(session, limit)),
  }),
  operation({
    method: "GET",
    path: "/tokens",
    id: "tokens",
    verb: "token",
    summary: "List the own tokens, oldest first, without their secrets",
    login: true,
    answers: { 200: { description: "The tokens", schema: schemas.tokens } },
    async handle({ session }) {
      const iso = (ms: number | null) => ms === null ? null : new Date(ms).toISOString();
      const facts = (await tokens(session)).map(({ id, label, created, used }) => ({
        id,
        label,
        created: iso(created),
        used: iso(used),
      }));
      return json({ tokens: facts });
    },
  }),
  operation({
    method: "POST",
    path: "/tokens",
    id: "issueToken",
    verb: "token",
    summary: "Create a token, a secret in place of the password; only this response has it",
    login: true,
    body: schemas.newToken,
    answers: { 201: { description: "The token", schema: schemas.madeToken } },
    async handle({ session }, { body: { label } }) {
      const made = await token(session, { verb: "token", action: "issue", label });
      return json(made, { status: 201 });
    },
  }),
  operation({
    method: "DELETE",
    path: "/tokens/{id}",
    id: "revokeToken",
    verb: "token",
    summary: "Revoke a token, its logins, and the tokens that it has issued",
    login: true,
    answers: {
      204: { description: "The token was revoked" },
      404: { description: "There is no such token", schema: schemas.problem },
    },
    async handle({ session }, { rest }) {
      await token(session, { verb: "token", action: "revoke", id: rest });
      return new Response(null, { status: 204 });
    },
  }),
];
