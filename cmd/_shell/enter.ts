/**
 * The way into the shell: which server, as whom, with what. On a terminal everything that is
 * missing is asked for, and a wrong password may be tried again; else it is a failure.
 */
import type { Credentials } from "../../core/client/login.ts";
import { connect } from "../../core/client/connect.ts";
import { register } from "../../core/client/register.ts";
import { formatRemote, parseRemote, type Remote } from "../../core/client/remote.ts";
import { BargeError } from "../../core/error.ts";
import { fits, type Login, readLogins } from "../_client/logins.ts";
import { note } from "../_term/out.ts";
import { givenPassword, needPassword } from "../_client/password.ts";
import { askText, canAsk } from "../_term/prompt.ts";
import { secured, type SecurityChoice } from "../_client/security.ts";
import { formatLimit } from "../_term/size.ts";
import { version } from "../_version.ts";
import { Link } from "./link.ts";

export interface Entrance extends SecurityChoice {
  readonly server: string | undefined;
  /** Seconds. */
  readonly timeout: number | undefined;
  readonly passwordFile: string | undefined;
  /** Make the account first. */
  readonly register: boolean;
  /** The capacity to register with, in bytes. */
  readonly quota: number | undefined;
}

const tries = 3;
const ways = "use `barge login` once, or --password-file or BARGE_PASSWORD";

/**
 * Connects and logs in.
 *
 * @throws {BargeError} `usage` for what is not said and can't be asked, `unauthenticated`, what
 *   registering and connecting give
 */
export async function enter(choice: Entrance, signal: AbortSignal): Promise<Link> {
  const logins = readLogins();
  const server = await chooseServer(choice.server, logins, choice.register, signal);
  const named = secured(server, choice);
  const given = await givenPassword({ ...choice, passwordStdin: false });
  const saved = choice.register || given !== undefined
    ? undefined
    : logins.findLast((login) => fits(login, named));
  const account = named.account ?? saved?.account ?? await chooseAccount(named, signal);
  const remote = { ...named, account };
  const timeout = choice.timeout === undefined ? undefined : choice.timeout * 1000;
  const open = async (credentials: Credentials) => {
    const link = new Link({ remote, credentials, timeout });
    await link.client(signal);
    return link;
  };
  if (choice.register) {
    const password = await registerAt(remote, choice, given, timeout, signal);
    return await open({ account, password });
  }
  if (saved) {
    try {
      return await open({ token: saved.token });
    } catch (error) {
      if (!(error instanceof BargeError) || error.kind !== "unauthenticated") throw error;
      const hint = "the saved login does not hold any more: use `barge login` again";
      if (!canAsk()) throw error.with({ hint });
      note(`(${hint})`);
    }
  }
  if (given !== undefined) return await open({ account, password: given });
  for (let left = tries - 1;; left--) {
    const question = `Password of ${account} at ${formatRemote({ ...remote, account: undefined })}`;
    const from = { passwordStdin: false, passwordFile: undefined, environment: false };
    const password = await needPassword(from, { question, twice: false, signal, ways });
    try {
      return await open({ account, password });
    } catch (error) {
      const again = error instanceof BargeError && error.kind === "unauthenticated" && left > 0;
      if (!again) throw error;
      note(`barge: ${error}`);
    }
  }
}

async function chooseServer(
  text: string | undefined,
  logins: readonly Login[],
  strange: boolean,
  signal: AbortSignal,
): Promise<Remote> {
  if (text !== undefined) return parseRemote(text);
  const last = logins.at(-1);
  if (last) {
    return { host: last.host, port: last.port, account: strange ? undefined : last.account };
  }
  if (canAsk()) return parseRemote(await askText("Server, as HOST or HOST:PORT", signal));
  throw new BargeError("usage", "no server is named", {
    hint: "use --server barge://NAME@HOST, BARGE_SERVER, or `barge login barge://NAME@HOST` once",
  });
}

async function chooseAccount(remote: Remote, signal: AbortSignal): Promise<string> {
  const at = formatRemote(remote);
  if (canAsk()) return await askText(`Your account at ${at}`, signal);
  throw new BargeError("usage", `no account is named for ${at}`, {
    hint: `write it into the server's address: ${formatRemote({ ...remote, account: "NAME" })}`,
  });
}

/** Makes the account. @returns its password */
async function registerAt(
  remote: Remote & { readonly account: string },
  choice: Entrance,
  given: string | undefined,
  timeout: number | undefined,
  signal: AbortSignal,
): Promise<string> {
  await using client = await connect(remote, { signal, timeout, agent: `barge/${version}` });
  if (!client.hello.register) {
    throw new BargeError("refused", "this server takes no registrations", {
      op: "register at",
      path: client.peer,
      hint: "ask its operator for an account",
    });
  }
  const password = given ?? await needPassword({ ...choice, passwordStdin: false }, {
    question: `Password for ${remote.account}`,
    twice: true,
    signal,
    ways: "use --password-file or BARGE_PASSWORD",
  });
  const { account, limit } = await register(client, remote.account, password, choice.quota);
  note(`made the account ${account}, capacity ${formatLimit(limit)}`);
  return password;
}
