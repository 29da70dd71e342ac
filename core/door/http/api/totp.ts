/**
 * Logins with a code, and the second factor. Both prove the password in their body: Basic can carry no code, and
 * an account that must enable a second factor can log in for nothing else.
 */
import { token } from "../../../login/token.ts";
import { disableTotp, enableTotp, renewRecoveryCodes, totpStatus } from "../../../login/totp.ts";
import { issuerOf } from "../issuer.ts";
import { json, operation } from "./operation.ts";
import { prove } from "./prove.ts";
import * as schemas from "./totp_schemas.ts";

const wrongLogin = {
  401: "The password or the code is wrong, or a code is needed (kind `code-needed`)",
} as const;

export const secondFactor = [
  operation("POST", "/login", {
    id: "logIn",
    verb: "token",
    summary: "Log in with the password, and a code where the account needs one; issues a token",
    login: false,
    body: schemas.login,
    answers: { 201: { description: "The token", schema: schemas.loggedIn } },
    problems: { ...wrongLogin, 403: "The account must enable a second factor first" },
    async handle(exchange, { body: { code, label, ...body } }) {
      const session = await prove(exchange, body, { code });
      const { id, token: text } = await token(session, { verb: "token", action: "issue", label });
      const { role } = await session.account();
      return json({ account: session.name, role, id, token: text }, { status: 201 });
    },
  }),
  operation("GET", "/account/totp", {
    id: "totp",
    verb: "totp",
    summary: "Get the state of the account's second factor",
    answers: { 200: { description: "The state", schema: schemas.status } },
    handle: async ({ session }) => json(await totpStatus(session)),
  }),
  operation("POST", "/account/totp/secret", {
    id: "newTotpSecret",
    verb: "totp",
    summary: "Get a new secret for a second factor; the server does not keep it",
    body: schemas.account,
    login: false,
    answers: { 200: { description: "The secret", schema: schemas.newSecret } },
    async handle(exchange, { body: { name } }) {
      const { newSecret, otpauthUrl } = await import("../../../protocol/totp.ts");
      const secret = newSecret();
      const url = otpauthUrl({ secret, account: name, issuer: issuerOf(exchange) });
      return json({ secret, url });
    },
  }),
  operation("PUT", "/account/totp", {
    id: "enableTotp",
    verb: "set-totp",
    summary:
      "Enable a second factor, with a code of its secret; only this response has the recovery " +
      "codes. Ends all logins with the password; tokens and SSH keys stay",
    login: false,
    body: schemas.enabling,
    answers: { 200: { description: "The recovery codes", schema: schemas.codes } },
    problems: {
      ...wrongLogin,
      400: "The code is not one of the secret now, or the secret is too short",
      409: "The account has a second factor already",
    },
    async handle(exchange, { body: { secret, code, ...body } }) {
      const session = await prove(exchange, body, { enables: true });
      const { codes } = await enableTotp(session, { secret, code });
      return json({ codes });
    },
  }),
  operation("POST", "/account/totp/recovery", {
    id: "renewRecoveryCodes",
    verb: "set-totp",
    summary: "Replace the recovery codes; only this response has the new ones",
    login: false,
    body: schemas.proof,
    answers: { 200: { description: "The recovery codes", schema: schemas.codes } },
    problems: wrongLogin,
    async handle(exchange, { body: { code, ...body } }) {
      return json({ codes: await renewRecoveryCodes(await prove(exchange, body, { code })) });
    },
  }),
  operation("POST", "/account/totp/disable", {
    id: "disableTotp",
    verb: "set-totp",
    summary: "Disable the second factor",
    login: false,
    body: schemas.proof,
    answers: { 204: { description: "The second factor is disabled" } },
    problems: wrongLogin,
    async handle(exchange, { body: { code, ...body } }) {
      await disableTotp(await prove(exchange, body, { code }));
      return new Response(null, { status: 204 });
    },
  }),
];
