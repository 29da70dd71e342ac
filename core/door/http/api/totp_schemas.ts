/** The bodies and answers of the operations on second factors. */
import * as v from "valibot";
import { account as name, password as secret, role } from "./schemas.ts";

const code = v.pipe(
  v.string(),
  v.maxLength(100),
  v.description("The 6 digits of an authenticator app, or a recovery code"),
);

export const account = v.strictObject({ name });
export const password = v.strictObject({ name, password: secret });
export const proof = v.strictObject({ name, password: secret, code });
export const enabling = v.strictObject({
  ...proof.entries,
  secret: v.pipe(v.string(), v.maxLength(200), v.description("16 to 64 bytes in base32")),
});
export const login = v.strictObject({
  name,
  password: secret,
  code: v.optional(code),
  label: v.optional(
    v.pipe(v.string(), v.description("The purpose of the token, which lists show")),
    "POST /login",
  ),
});
export const loggedIn = v.object({ account: name, role, id: v.string(), token: v.string() });
export const newSecret = v.object({ secret: v.string(), url: v.string() });
export const status = v.object({
  enabled: v.boolean(),
  required: v.pipe(v.boolean(), v.description("Whether the server requires one of this role")),
  recoveryCodes: v.pipe(v.number(), v.description("The number of unused recovery codes")),
});
export const codes = v.object({ codes: v.array(v.string()) });
