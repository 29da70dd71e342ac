/**
 * The login of the shell. On a terminal it prompts for a missing server, account or password, and
 * again after a wrong password; without a terminal, each of these is a failure.
 */
import type { Credentials } from "../../core/client/login.ts";
import { register } from "../../core/client/password.ts";
import { parseRemote, type Remote } from "../../core/client/remote.ts";
import { BargeError } from "../../core/error.ts";
import {
  checkRegistration,
  chooseAccount,
  findServer,
  loginEnded,
  noServer,
  passwordQuestion,
} from "../_client/choose.ts";
import { fits, readLogins } from "../_client/logins.ts";
import { givenPassword, needPassword, noStdinHint, promptOnly } from "../_client/password.ts";
import { secured } from "../_client/security.ts";
import { checkOwner, credentialsOf, dial, isToken, type ServerChoice } from "../_client/session.ts";
import { note } from "../_term/out.ts";
import { askText, canAsk } from "../_term/prompt.ts";
import { formatLimit } from "../../core/size.ts";
import { Link } from "./link.ts";

export interface LoginChoice extends ServerChoice {
  readonly passwordFile: string | undefined;
  /** Make the account first. */
  readonly register: boolean;
  /** The quota to register with, in bytes. */
  readonly quota: number | undefined;
}

/** The most attempts to enter the password. */
const maxAttempts = 3;

/**
 * Connects and logs in.
 *
 * @throws {BargeError} `usage` when the server or account is missing and there is no terminal,
 *   `unauthenticated`, and as `connect` and `register`
 */
export async function openLink(choice: LoginChoice, signal: AbortSignal): Promise<Link> {
  const server = secured(await chooseServer(choice, signal), choice);
  const given = await givenPassword({ ...choice, passwordStdin: false }, noStdinHint);
  const saved = choice.register || given !== undefined
    ? undefined
    : readLogins().findLast((login) => fits(login, server));
  const account = server.account ?? saved?.account ?? await chooseAccount(server, signal);
  const remote = { ...server, account };
  const { timeout } = choice;
  const open = async (credentials: Credentials) => {
    const link = new Link({ remote, credentials, timeout });
    await link.client(signal);
    return link;
  };
  if (choice.register) {
    const password = await registerAt(remote, choice, given, signal);
    return await open({ account, password });
  }
  if (saved) {
    try {
      return await open({ token: saved.token, owner: account });
    } catch (error) {
      if (!isWrongSecret(error)) throw error;
      if (!canAsk()) throw error.with({ hint: loginEnded });
      note(`(${error.hint ?? loginEnded})`);
    }
  }
  if (given !== undefined) {
    const link = await open(credentialsOf(account, given));
    if (isToken(given)) checkOwner(link.account, account);
    return link;
  }
  for (let attempt = 1;; attempt++) {
    const password = await needPassword(promptOnly, {
      question: passwordQuestion(account, remote),
      signal,
      ways: "use `barge login` once, or --password-file or BARGE_PASSWORD",
    });
    try {
      return await open({ account, password });
    } catch (error) {
      if (!isWrongSecret(error) || attempt === maxAttempts) throw error;
      note(`barge: ${error}`);
    }
  }
}

function isWrongSecret(error: unknown): error is BargeError {
  return error instanceof BargeError && error.kind === "unauthenticated";
}

async function chooseServer(
  { server, register }: LoginChoice,
  signal: AbortSignal,
): Promise<Remote> {
  const remote = findServer(server);
  if (remote) {
    // A new account does not have the name of the saved login.
    return server === undefined && register ? { ...remote, account: undefined } : remote;
  }
  if (!canAsk()) throw noServer();
  return parseRemote(await askText("Server, as HOST or HOST:PORT", signal));
}

/** Makes the account. @returns its password */
async function registerAt(
  remote: Remote & { readonly account: string },
  choice: LoginChoice,
  given: string | undefined,
  signal: AbortSignal,
): Promise<string> {
  await using client = await dial(remote, choice, signal);
  checkRegistration(client);
  const password = given ?? await needPassword(promptOnly, {
    question: `Password for ${remote.account}`,
    minLength: client.hello.minPassword ?? 0,
    signal,
    ways: "use --password-file or BARGE_PASSWORD",
  });
  const { account, limit } = await register(client, remote.account, password, choice.quota);
  note(`made the account ${account}, quota ${formatLimit(limit)}`);
  return password;
}
