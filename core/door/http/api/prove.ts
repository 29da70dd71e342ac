import { logName } from "../../../login/log_name.ts";
import { logIn } from "../../../login/password.ts";
import type { SecondStep } from "../../../login/second_factor.ts";
import type { Session } from "../../../login/session.ts";
import type { Exchange } from "../exchange.ts";
import { refuseOtherSites } from "../origin.ts";

/**
 * Logs in with the password of a request's body. The request is a login in the access log.
 *
 * @throws {BargeError} as `logIn`; `denied` for a request that another site has made the browser send
 */
export async function prove(
  exchange: Exchange,
  { name, password: secret }: { readonly name: string; readonly password: string },
  second: SecondStep,
): Promise<Session> {
  const { store, host, pause, access, ended: { signal: gone } } = exchange;
  refuseOtherSites(exchange);
  access.login = true;
  access.account = await logName(store, name);
  const session = await logIn(store, { name, secret, host, door: "http", gone, second }, pause);
  session.door = "http";
  access.login = false;
  return session;
}
