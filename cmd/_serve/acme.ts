/** The options of `serve` for certificates by ACME. */
import { readFileSync } from "node:fs";
import { type ExternalAccount, parseExternalKey } from "../../core/acme/external_account.ts";
import { challengeTypes, defaultDirectory } from "../../core/acme/setup.ts";
import { BargeError, typed } from "../../core/error.ts";
import type { AcmeOptions } from "../../core/serve/acme.ts";
import { isDomain } from "../../core/storage/acme.ts";
import { readCertificates } from "../_data/certificate_file.ts";
import { marked, value, valueOr, values, type ValuesOf } from "../_term/command.ts";
import { addressOrOff, oneOf, path, valueParser } from "../_term/value.ts";

export const acmeOptions = {
  ...marked({
    acme: values(
      domains(),
      "A domain of a certificate that barge gets from an authority by ACME and renews (several: with " +
        "commas, or repeated). By this option you agree to the authority's terms of service",
    ),
  }, { excludes: ["tlsCert", "tlsKey"] }),
  ...marked({
    acmeEmail: value(
      email(),
      "With --acme: an address for the authority's messages. Default: none",
    ),
    acmeEabKid: value(
      kid(),
      "With --acme: the id of a key that the authority has given to you, to which it binds the account " +
        "(external account binding). Default: none",
    ),
    acmeEabKeyFile: value(path("FILE"), "The file with the key of --acme-eab-kid, in base64url"),
    acmeDirectory: valueOr(
      httpsUrl(),
      defaultDirectory,
      "With --acme: the URL of the authority's directory. Default: that of Let's Encrypt",
    ),
    acmeCa: value(
      path("FILE"),
      "With --acme: the certificate, in PEM, of an authority that the directory's own certificate is from, " +
        "if the system does not trust it",
    ),
    acmeChallenge: value(
      oneOf(...challengeTypes),
      "With --acme: how the authority checks the domains. `http-01`: it asks port 80 by HTTP; " +
        "`tls-alpn-01`: port 443 by TLS. Default: http-01 if --acme-http is given or the HTTP door has no " +
        "TLS, else tls-alpn-01",
    ),
    acmeHttp: valueOr(
      addressOrOff(),
      null,
      "With --acme: the address of a listener that answers http-01 and nothing else, like 0.0.0.0:80. " +
        "Default: off; the HTTP door answers, too",
    ),
  }, { needs: ["acme"] }),
};

export type AcmeValues = ValuesOf<typeof acmeOptions>;

/**
 * Returns the options; undefined without --acme.
 *
 * @throws {BargeError} `usage` for one of --acme-eab-kid and --acme-eab-key-file without the other; `fatal` for an
 *   unreadable --acme-ca or key
 */
export function acmeOf(values: AcmeValues): AcmeOptions | undefined {
  const { acmeEmail, acmeDirectory, acmeCa, acmeChallenge, acmeHttp } = values;
  const names = [...new Set(values.acme.flat())];
  if (names.length === 0) return undefined;
  return {
    domains: names,
    email: acmeEmail,
    external: externalAccount(values),
    directory: acmeDirectory,
    trust: acmeCa === undefined ? [] : [readCertificates(acmeCa, "--acme-ca")],
    challenge: acmeChallenge,
    http: acmeHttp,
  };
}

function externalAccount({ acmeEabKid, acmeEabKeyFile }: AcmeValues): ExternalAccount | undefined {
  if (acmeEabKid === undefined && acmeEabKeyFile === undefined) return undefined;
  if (acmeEabKid === undefined || acmeEabKeyFile === undefined) {
    throw new BargeError("usage", "--acme-eab-kid and --acme-eab-key-file belong together");
  }
  const facts = { op: "--acme-eab-key-file", path: acmeEabKeyFile };
  let text: string;
  try {
    text = readFileSync(acmeEabKeyFile, "utf8");
  } catch (cause) {
    throw new BargeError("fatal", typed(cause).message, { ...facts, cause });
  }
  const key = parseExternalKey(text);
  if (key) return { kid: acmeEabKid, key };
  throw new BargeError("fatal", "the file holds no key in base64url of 16 bytes or more", facts);
}

/** Domains, separated by commas. */
function domains() {
  const read = (text: string): readonly string[] | undefined => {
    const names = text.split(",").map((name) => name.trim().toLowerCase());
    return names.every(isDomain) ? names : undefined;
  };
  return valueParser("DOMAIN", read, "a domain like box.example (no address, no wildcard)");
}

function email() {
  const read = (text: string) => /^[^\s@,?]+@[^\s@,?]+$/.test(text) ? text : undefined;
  return valueParser("EMAIL", read, "an address like ann@box.example");
}

function kid() {
  const read = (text: string) => /^[!-~]+$/.test(text) ? text : undefined;
  return valueParser("ID", read, "an id without spaces");
}

function httpsUrl() {
  const read = (text: string) => URL.parse(text)?.protocol === "https:" ? text : undefined;
  return valueParser("URL", read, "a URL that begins with https://");
}
