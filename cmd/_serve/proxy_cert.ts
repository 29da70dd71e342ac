/** Reads the certificate of a proxy that ends TLS for the native door. */
import { typed } from "../../core/error.ts";
import { readCertificates } from "../_data/certificate_file.ts";
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
  const text = readCertificates(path, "--proxy-cert");
  try {
    return bindingsOf(text);
  } catch (cause) {
    throw typed(cause, { op: "--proxy-cert", path });
  }
}
