import { BargeError } from "../../error.ts";
import { isLoopback, network } from "../../net/address.ts";
import type { Context } from "./context.ts";

/**
 * Requires TLS for a request with a verifier or a secret. Without TLS, an eavesdropper could guess the password
 * from the verifier or read the secret, and an attacker could replace either on the way.
 *
 * @throws {BargeError} `refused` without TLS, unless the client is on this machine
 */
export function needPrivacy(c: Context, op: string): void {
  if (c.tlsBindings.length > 0 || isLoopback(network(c.host))) return;
  throw new BargeError("refused", "that needs TLS, and this connection has none", { op });
}
