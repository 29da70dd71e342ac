/** The certificate of a proxy that ends TLS before the plain native door. */
import { BargeError, typed } from "../../core/error.ts";
import { endPointsOf } from "../../core/net/end_point.ts";

/**
 * Reads what logins are bound to. Each certificate in the file counts, so that the old one and the
 * new one may stand in it while the proxy changes.
 *
 * @param path the file; undefined: there is no such proxy
 * @throws {BargeError} `fatal` when it can't be read or holds no certificate
 */
export function readProxyCert(path: string | undefined): string[] {
  if (path === undefined) return [];
  const facts = { op: "read certificate", path };
  let found: string[];
  try {
    found = endPointsOf(Deno.readTextFileSync(path));
  } catch (cause) {
    throw new BargeError("fatal", typed(cause).message, { ...facts, cause });
  }
  if (found.length > 0) return found;
  throw new BargeError("fatal", "it holds no certificate in PEM", facts);
}
