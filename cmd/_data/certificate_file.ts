/** Reads files of certificates that options name. */
import { readFileSync } from "node:fs";
import { BargeError, typed } from "../../core/error.ts";

/**
 * Returns the text of a file with certificates in PEM.
 *
 * @param option the option that names the file, for failures
 * @throws {BargeError} `fatal` for a file that can't be read or holds no certificate
 */
export function readCertificates(path: string, option: string): string {
  const facts = { op: option, path };
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (cause) {
    throw new BargeError("fatal", typed(cause).message, { ...facts, cause });
  }
  if (/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/.test(text)) return text;
  throw new BargeError("fatal", "the file holds no certificate in PEM", facts);
}
