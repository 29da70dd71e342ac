/** Registers an account, by the API or the page. */
import { BargeError } from "../../error.ts";
import { checkPasswordLength } from "../../login/change_password.ts";
import { runDerivation } from "../../login/password.ts";
import { register } from "../../login/register.ts";
import type { Verifier } from "../../protocol/message.ts";
import { makeVerifier } from "../../protocol/verifier.ts";
import type { Exchange } from "./exchange.ts";

/** @throws {BargeError} as `register`; `usage` for too short a password */
export async function registerAccount(
  exchange: Exchange,
  { name, password, limit }: { name: string; password: string; limit?: number },
): ReturnType<typeof register> {
  const { store, host } = exchange;
  if (!store.settings.allowRegister) {
    const why = "this server does not allow registration";
    throw new BargeError("refused", why, { op: "register" });
  }
  checkPasswordLength(store, password);
  const verifier = await passwordVerifier(exchange, name, password);
  return await register(store, { verb: "register", account: name, verifier, limit }, host, "http");
}

/**
 * Makes the verifier of a new password.
 *
 * @throws {BargeError} `unavailable` if too many logins wait for their turn; the reason of
 *   `exchange.ended`, if that is aborted first
 */
export async function passwordVerifier(
  { host, ended }: Exchange,
  account: string,
  password: string,
): Promise<Verifier> {
  const make = () => makeVerifier("password", password);
  return await runDerivation(make, ended.signal, { account, host });
}
