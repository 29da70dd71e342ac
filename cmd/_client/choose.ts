/** Finds the server and the account that a verb works with. */
import type { Client } from "../../core/client/client.ts";
import { formatRemote, parseRemote, type Remote } from "../../core/client/remote.ts";
import { BargeError } from "../../core/error.ts";
import type { Sources } from "../_term/source.ts";
import { defaultLogin } from "./logins.ts";

/** The hint for a token that the server does not accept. */
export const loginEnded = "the saved login has expired or was revoked: use `barge login` again";

/**
 * Returns the server of an option or variable, else of the default login.
 *
 * @throws {BargeError} `usage` for a text that names no server
 */
export function findServer(text: string | undefined): Remote | undefined {
  if (text !== undefined) return parseRemote(text);
  const last = defaultLogin();
  return last && { account: last.account, host: last.host, port: last.port };
}

/**
 * Returns the server of an argument, or else that of `--server`, its variable or a file.
 *
 * @param sources where the options come from
 * @throws {BargeError} `usage` where the command line names two servers, or a text names none
 */
export function argumentOrOption(
  named: string | undefined,
  option: string | undefined,
  sources: Sources,
): string | undefined {
  const isTwice = named !== undefined && option !== undefined &&
    sources.get("server")?.origin === "command line";
  if (!isTwice) return named ?? option;
  const [argument, other] = [named, option].map((text) => formatRemote(parseRemote(text)));
  if (argument === other) return named;
  throw new BargeError("usage", `the argument names ${argument}, and --server ${other}`, {
    hint: "give one of them",
  });
}

/** The failure of a verb without a server. */
export function noServer(): BargeError {
  return new BargeError("usage", "no server is named", {
    hint: "use --server barge://NAME@HOST, BARGE_SERVER, or `barge login barge://NAME@HOST` once",
  });
}

/**
 * Prompts for the account, if neither the server's address nor a saved login names it.
 *
 * @throws {BargeError} `usage` without a terminal
 */
export async function chooseAccount(remote: Remote, signal: AbortSignal): Promise<string> {
  const { askText, canAsk } = await import("../_term/prompt.ts");
  const at = formatRemote(remote);
  if (canAsk()) return await askText(`Your account at ${at}`, signal);
  throw new BargeError("usage", `no account is named for ${at}`, {
    hint: `write it into the server's address: ${formatRemote({ ...remote, account: "NAME" })}`,
  });
}

/** Returns the question for the password of an account at a server. */
export function passwordQuestion(account: string, remote: Remote): string {
  return `Password of ${account} at ${formatRemote({ ...remote, account: undefined })}`;
}

/** Checks that a server takes registrations. @throws {BargeError} `refused` */
export function checkRegistration(client: Client): void {
  if (client.hello.register) return;
  throw new BargeError("refused", "this server takes no registrations", {
    op: "register at",
    path: client.peer,
    hint: "ask its operator for an account",
  });
}
