/** From a verb's options to a connection that is logged in. */
import type { Client } from "../../core/client/client.ts";
import { connect } from "../../core/client/connect.ts";
import { type Credentials, type Login as Who, login as logIn } from "../../core/client/login.ts";
import { formatRemote, parseRemote, type Remote } from "../../core/client/remote.ts";
import { BargeError } from "../../core/error.ts";
import { version } from "../_version.ts";
import { fits, readLogins } from "./logins.ts";
import { value } from "../_term/options.ts";
import { count, plain } from "../_term/value.ts";
import { secured, type SecurityChoice, securityOptions } from "./security.ts";
import {
  givenPassword,
  needPassword,
  passwordOptions,
  type PasswordSources,
  passwordWays,
} from "./password.ts";

/** The options of a verb that needs a server, but no login. */
export const serverOptions = {
  server: value(
    ["--server"],
    plain("barge://NAME@HOST:PORT"),
    "The server, and whose account there. Default: the last `barge login`",
  ),
  timeout: value(
    ["--timeout"],
    count("SECONDS", 1, 86_400),
    "Give up when the server has not answered by then. Default: 10",
  ),
  ...securityOptions,
};

/** The options of a verb that works at a server as somebody. */
export const sessionOptions = { ...serverOptions, ...passwordOptions };

export interface ServerChoice extends SecurityChoice {
  readonly server: string | undefined;
  readonly timeout: number | undefined;
}
export interface SessionChoice extends ServerChoice, PasswordSources {
  /** This token and nothing else: for `logout`. */
  readonly token?: string;
}

/** The connection, who one is there, and where that is. */
export interface Session extends AsyncDisposable {
  readonly client: Client;
  readonly remote: Remote & { readonly account: string };
  readonly who: Who;
  /** The password that it logged in with; undefined for a saved login. */
  readonly password: string | undefined;
}

/**
 * Connects without logging in.
 *
 * @throws {BargeError} `usage` when no server is named; what connecting gives
 */
export async function connectOnly(
  choice: ServerChoice,
  signal: AbortSignal,
): Promise<{ client: Client; remote: Remote }> {
  const remote = chooseRemote(choice);
  return { client: await dial(remote, choice, signal), remote };
}

/**
 * Connects and logs in, with a password that was given, else the saved login, else by asking.
 *
 * @param options.password true: a saved login does not do, the password itself is needed
 * @throws {BargeError} `usage` when no server or account is named, `unauthenticated`, and what
 *   connecting gives
 */
export async function openSession(
  choice: SessionChoice,
  signal: AbortSignal,
  options: { readonly password?: boolean } = {},
): Promise<Session> {
  const named = chooseRemote(choice);
  const { token } = choice;
  const given = token === undefined ? await givenPassword(choice) : undefined;
  const saved = options.password || given !== undefined || token !== undefined
    ? undefined
    : savedLogin(named);
  const account = named.account ?? saved?.account ?? await chooseAccount(named, signal);
  const remote = { ...named, account };
  const credentials = known(account, token ?? saved?.token, given);
  let login: Promise<Who> | undefined;
  let password = given;
  const client = await dial(remote, choice, signal, (client) => {
    login = credentials && logIn(client, credentials);
    login?.catch(() => {/* awaited below; the greeting may fail first */});
  });
  try {
    const ask = async () => {
      const question = `Password of ${account} at ${client.peer}`;
      const asking = {
        question,
        twice: false,
        signal,
        ways: options.password ? passwordWays : ways,
      };
      password = await needPassword(choice, asking);
      return { account, password };
    };
    const who = await (login ?? logIn(client, await ask())).catch((error) => {
      if (!(error instanceof BargeError) || error.kind !== "unauthenticated") throw error;
      const facts = { op: "log in to", path: formatRemote(remote), cause: error };
      throw new BargeError(error.kind, error.message, {
        ...facts,
        hint: saved ? again : undefined,
      });
    });
    const close = () => client[Symbol.asyncDispose]();
    return { client, remote, who, password, [Symbol.asyncDispose]: close };
  } catch (error) {
    client.close();
    throw error;
  }
}

/** What one logs in with, where nobody has to be asked. */
function known(account: string, token?: string, password?: string): Credentials | undefined {
  if (token !== undefined) return { token };
  return password === undefined ? undefined : { account, password };
}

const again = "the saved login does not hold any more: use `barge login` again";
const ways = "use `barge login` once, or --password-stdin, --password-file or BARGE_PASSWORD";

async function dial(
  remote: Remote,
  choice: ServerChoice,
  signal: AbortSignal,
  meanwhile?: (client: Client) => void,
): Promise<Client> {
  return await connect(remote, {
    signal,
    timeout: choice.timeout === undefined ? undefined : choice.timeout * 1000,
    agent: `barge/${version}`,
    meanwhile,
  });
}

function chooseRemote(choice: ServerChoice): Remote {
  if (choice.server !== undefined) {
    return secured(parseRemote(choice.server), choice);
  }
  const last = readLogins().at(-1);
  if (last) {
    const { account, host, port } = last;
    return secured({ account, host, port }, choice);
  }
  throw new BargeError("usage", "no server is named", {
    hint: "use --server barge://NAME@HOST, BARGE_SERVER, or `barge login barge://NAME@HOST` once",
  });
}

function savedLogin(remote: Remote) {
  return readLogins().findLast((login) => fits(login, remote));
}

/** Whose account, when neither the server's address nor a saved login says so. */
async function chooseAccount(remote: Remote, signal: AbortSignal): Promise<string> {
  const { askText, canAsk } = await import("../_term/prompt.ts");
  const at = formatRemote(remote);
  if (canAsk()) return await askText(`Your account at ${at}`, signal);
  throw new BargeError("usage", `no account is named for ${at}`, {
    hint: `write it into the server's address: ${formatRemote({ ...remote, account: "NAME" })}`,
  });
}
