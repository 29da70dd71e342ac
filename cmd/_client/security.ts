/** Chooses whether to use TLS, and which certificates to trust, from a verb's options. */
import { formatRemote, type Remote } from "../../core/client/remote.ts";
import { BargeError } from "../../core/error.ts";
import { type Fingerprint, parseFingerprint } from "../../core/net/fingerprint.ts";
import { tlsOption, usesTls } from "../../core/net/trust.ts";
import { configPath } from "../_config/path.ts";
import { fits, type Login, readLogins } from "./logins.ts";
import { flag, marked, value, type ValuesOf } from "../_term/command.ts";
import { note } from "../_term/out.ts";
import { valueParser } from "../_term/value.ts";

/** The options of a verb that connects. */
export const securityOptions = {
  tls: flag("Use TLS on this machine, too. Default: only to other machines"),
  ...marked({
    plaintext: flag("Connect without TLS: the network can read and change files"),
  }, { excludes: ["tls", "pin"] }),
  pin: value(
    valueParser(
      "FINGERPRINT",
      readFingerprint,
      "a fingerprint like SHA256:47DEQpj8..., which `barge cert` prints at the server",
    ),
    "The fingerprint of the server's certificate, in place of the pinned one",
  ),
};

export type SecurityChoice = ValuesOf<typeof securityOptions>;

/** Returns the path of the pins; undefined without a home. */
export function knownHostsPath(): string | undefined {
  return configPath("known_hosts");
}

/**
 * Returns the remote with the trust for TLS, or without TLS. The options decide, else the saved
 * login, else the rule of `usesTls`.
 *
 * @throws {BargeError} `usage` for options that exclude each other
 */
export function secured(remote: Remote, choice: SecurityChoice): Remote {
  const { pin, plaintext } = choice;
  if (pin !== undefined && plaintext) {
    throw new BargeError("usage", "--pin needs TLS, which --plaintext turns off");
  }
  const isChosen = choice.tls || plaintext || pin !== undefined;
  const saved = isChosen ? undefined : asSaved(remote);
  const tls = saved?.tls ??
    usesTls(remote.host, { tls: choice.tls || pin !== undefined, plaintext });
  if (!tls) return remote;
  const plainHint = plainHintOf(remote, choice, saved);
  const trust = { knownHosts: knownHostsPath(), pin, onPinned, ...(plainHint && { plainHint }) };
  return { ...remote, trust };
}

/** Returns the option with which a printed command connects to a remote as this one does, as {@link tlsOption}. */
export function tlsOptionOf(remote: Remote): string {
  const { host, trust } = remote;
  if (trust?.pin !== undefined) return ` --pin ${trust.pin}`;
  return tlsOption(trust !== undefined, asSaved(remote)?.tls ?? usesTls(host));
}

/** Returns the hint for a server without TLS by the reason why TLS is used; undefined for the default one. */
function plainHintOf(
  remote: Remote,
  { tls, pin }: SecurityChoice,
  saved?: Login,
): string | undefined {
  const risk = "anyone on the way can then read and change the data";
  if (saved?.tls) {
    const login = formatRemote(saved);
    const mine = formatRemote({ ...saved, account: remote.account ?? saved.account });
    return `the saved login ${login} was made over TLS: if the server has none any more, use ` +
      `--plaintext, or save a login without TLS by \`barge login --plaintext ${mine}\`; ${risk}`;
  }
  if (pin !== undefined) {
    return `if the server has no TLS, use --plaintext in place of --pin: ${risk}`;
  }
  if (tls) return `if the server has no TLS, use --plaintext in place of --tls: ${risk}`;
  return undefined;
}

function onPinned(server: string, fingerprint: Fingerprint): void {
  note(`barge: trusting ${server} from here on, its certificate is ${fingerprint}`);
}

/** Returns the account's latest login at an address, or else any account's. */
function asSaved({ host, port, account }: Remote): Login | undefined {
  try {
    const logins = readLogins().filter((login) => fits(login, { host, port }));
    return logins.findLast((login) => login.account === account) ?? logins.at(-1);
  } catch {
    return undefined; // the login itself reports it
  }
}

function readFingerprint(text: string): Fingerprint | undefined {
  try {
    return parseFingerprint(text);
  } catch {
    return undefined;
  }
}
