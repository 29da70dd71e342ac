/** Operations on the account that is logged in: its quota, password and tokens; and registration. */
import {
  changePassword,
  checkPasswordLength,
  needPasswordLogin,
} from "../../../login/change_password.ts";
import { grow, quota } from "../../../session/quota.ts";
import { scopeFacts, token, tokenFacts, tokens } from "../../../login/token.ts";
import { passwordVerifier, registerAccount } from "../register.ts";
import { json, operation, tokenProblem } from "./operation.ts";
import { prove } from "./prove.ts";
import * as schemas from "./schemas.ts";

export const ownAccount = [
  operation("GET", "/account", {
    id: "whoAmI",
    summary: "Get the account that is logged in",
    answers: { 200: { description: "The account", schema: schemas.self } },
    async handle({ session }) {
      const { name, role, created, totp } = await session.account();
      const { withPassword, scope } = session;
      const since = new Date(created).toISOString();
      const facts = { name, role, created: since, withPassword, scope: scopeFacts(scope) };
      return json({ ...facts, totp, quota: await quota(session) });
    },
  }),
  operation("POST", "/account", {
    id: "register",
    verb: "register",
    summary: "Register an account, if the server allows it",
    login: false,
    body: schemas.registration,
    answers: { 201: { description: "The account was created", schema: schemas.registered } },
    problems: {
      400: "The password is too short",
      403: "The server does not allow registration, or not that quota",
      409: "The name is taken",
    },
    async handle(exchange, { body }) {
      exchange.access.account = body.name;
      const { name, limit } = await registerAccount(exchange, body);
      return json({ name, limit }, { status: 201 });
    },
  }),
  operation("PUT", "/account/password", {
    id: "changePassword",
    verb: "passwd",
    summary:
      "Change the account's password; ends all tokens and all other logins except those by SSH key",
    body: schemas.newPassword,
    answers: { 204: { description: "The password was changed" } },
    problems: {
      400: "The new password is too short",
      401: "`old` or `code` is wrong, or a code is needed (kind `code-needed`)",
      403: "The login was not with the password, and the body has no `old`",
    },
    async handle(exchange, { body: { password, old, code } }) {
      const { store } = exchange;
      const { name } = exchange.session;
      const session = old === undefined
        ? exchange.session
        : await prove(exchange, { name, password: old }, { code });
      await needPasswordLogin(session);
      checkPasswordLength(store, password);
      await changePassword(session, await passwordVerifier(exchange, session.name, password));
      return new Response(null, { status: 204 });
    },
  }),
  operation("GET", "/quota", {
    id: "quota",
    verb: "quota",
    summary: "Get the quota, and how much of it is used",
    answers: { 200: { description: "Bytes", schema: schemas.usage } },
    handle: async ({ session }) => json(await quota(session)),
  }),
  operation("PUT", "/quota", {
    id: "grow",
    verb: "grow",
    summary: "Raise the account's quota, as far as the server allows",
    body: schemas.quotaRaise,
    answers: { 200: { description: "The new quota", schema: schemas.usage } },
    problems: { 403: "The server does not allow that quota" },
    handle: async ({ session }, { body: { limit } }) => json(await grow(session, limit)),
  }),
  operation("GET", "/tokens", {
    id: "tokens",
    verb: "token",
    summary: "List the account's tokens, oldest first, without their secrets",
    answers: { 200: { description: "The tokens", schema: schemas.tokens } },
    problems: tokenProblem,
    async handle({ session }) {
      return json({ tokens: (await tokens(session)).map(tokenFacts) });
    },
  }),
  operation("POST", "/tokens", {
    id: "issueToken",
    verb: "token",
    summary: "Create a token, a secret in place of the password; only this response has the secret",
    body: schemas.newToken,
    answers: { 201: { description: "The token", schema: schemas.madeToken } },
    problems: { ...tokenProblem, 400: "No token can have that scope" },
    async handle({ session }, { body }) {
      return json(await token(session, { verb: "token", action: "issue", ...body }), {
        status: 201,
      });
    },
  }),
  operation("DELETE", "/tokens/{id}", {
    id: "revokeToken",
    verb: "token",
    summary: "Revoke a token, its logins, and the tokens that it has issued",
    answers: { 204: { description: "The token was revoked" } },
    problems: { ...tokenProblem, 404: "There is no such token" },
    async handle({ session }, { pathParameter: id }) {
      await token(session, { verb: "token", action: "revoke", id });
      return new Response(null, { status: 204 });
    },
  }),
];
