/** TLS or not, and whom to trust: from a verb's options to what dialing needs. */
import type { Remote } from "../../core/client/remote.ts";
import { BargeError } from "../../core/error.ts";
import type { Address } from "../../core/net/address.ts";
import { type Fingerprint, parseFingerprint } from "../../core/net/fingerprint.ts";
import { usesTls } from "../../core/net/trust.ts";
import { configPath, fits, readLogins } from "./logins.ts";
import { flag, value } from "../_term/options.ts";
import { note } from "../_term/out.ts";
import { valueParser } from "../_term/value.ts";

/** The options of a verb that connects. */
export const securityOptions = {
  tls: flag(["--tls"], "Use TLS on this machine, too. Default: only to others"),
  plaintext: flag(["--plaintext"], "Connect without TLS: all between can read and change files"),
  pin: value(
    ["--pin"],
    valueParser(
      "FINGERPRINT",
      readFingerprint,
      "a fingerprint like SHA256:47DEQpj8..., which `barge cert` prints at the server",
    ),
    "The fingerprint that the server's certificate must have, whatever was pinned",
  ),
};

export interface SecurityChoice {
  readonly tls: boolean;
  readonly plaintext: boolean;
  readonly pin: Fingerprint | undefined;
}

/** Where pins are kept; undefined when there is no home. */
export function knownHostsPath(): string | undefined {
  return configPath("known_hosts");
}

/**
 * The remote, with what to trust there if it is to be TLS: when told so, else as its saved login
 * was made, else by the rule of `usesTls`.
 *
 * @throws {BargeError} `usage` for options that exclude each other
 */
export function secured(remote: Remote, choice: SecurityChoice): Remote {
  const { pin, plaintext } = choice;
  if (pin !== undefined && plaintext) {
    throw new BargeError("usage", "--pin is about TLS, which --plaintext does without");
  }
  const told = choice.tls || plaintext || pin !== undefined;
  const tls = (told ? undefined : asSaved(remote)) ??
    usesTls(remote.host, { tls: choice.tls || pin !== undefined, plaintext });
  if (!tls) return remote;
  const trust = { knownHosts: knownHostsPath(), pin, onPinned };
  return { ...remote, trust };
}

function onPinned(server: string, fingerprint: Fingerprint): void {
  note(`barge: trusting ${server} from here on, its certificate is ${fingerprint}`);
}

function asSaved({ host, port }: Address): boolean | undefined {
  try {
    return readLogins().findLast((login) => fits(login, { host, port }))?.tls;
  } catch {
    return undefined; // told of where one is needed
  }
}

function readFingerprint(text: string): Fingerprint | undefined {
  try {
    return parseFingerprint(text);
  } catch {
    return undefined;
  }
}
