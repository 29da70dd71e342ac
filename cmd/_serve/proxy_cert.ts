/** Reads the certificate of a proxy that ends TLS for the native door. */
import { BargeError, typed } from "../../core/error.ts";
import { bindingsOf } from "../../core/net/channel_binding.ts";

/**
 * Returns the bindings of logins to the proxy's certificates. The file may hold several, so that the
 * old and the new one are valid while the proxy changes.
 *
 * @param path the file; undefined: no proxy
 * @throws {BargeError} `fatal` for a file that can't be read or holds no certificate
 */
export function readProxyCert(path: string | undefined): string[] {
  if (path === undefined) return [];
  const facts = { op: "read certificate", path };
  let tlsBindings: string[];
  try {
    tlsBindings = bindingsOf(Deno.readTextFileSync(path));
  } catch (cause) {
    throw new BargeError("fatal", typed(cause).message, { ...facts, cause });
  }
  if (tlsBindings.length > 0) return tlsBindings;
  throw new BargeError("fatal", "the file holds no certificate in PEM", facts);
}
