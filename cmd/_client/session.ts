/** Connects to a server and logs in, by the options of a verb. */
import type { Client } from "../../core/client/client.ts";
import { connect, type ConnectOptions } from "../../core/client/connect.ts";
import {
  type Credentials,
  type Login,
  login as logIn,
  type RequestsAhead,
} from "../../core/client/login.ts";
import { formatRemote, parseRemote, type Remote } from "../../core/client/remote.ts";
import { BargeError } from "../../core/error.ts";
import type { RateLimit } from "../../core/client/rate_limit.ts";
import { count, plain, type ValueParser } from "../_term/value.ts";
import {
  command,
  type Common,
  type Context,
  type Declared,
  marked,
  type Options,
  type Outcome,
  value,
  type ValuesOf,
} from "../_term/command.ts";
import { version } from "../_version.ts";
import { codeOptions, Codes, type CodeSources, codeWays, withFactorHint } from "./code.ts";
import { chooseAccount, findServer, loginEnded, noServer, passwordQuestion } from "./choose.ts";
import { jobOptions } from "./job_options.ts";
import { fits, readLogins } from "./logins.ts";
import type { RateAt } from "./rates.ts";
import { Retries, type RetryChoice, retryOptions } from "./retries.ts";
import {
  givenPassword,
  needPassword,
  passwordOptions,
  type PasswordSources,
  passwordWays,
} from "./password.ts";
import { secured, securityOptions } from "./security.ts";

/** The options of a verb that needs a server, but no login. */
export const serverOptions = marked({
  server: value(
    serverAddress(),
    "The server, and your account there. Default: the last `barge login`",
  ),
  timeout: value(
    count("SECONDS", 1, 86_400),
    "Give up when the server has not answered within this time. Default: 10",
  ),
  ...securityOptions,
}, { place: "general" });

/** The options of a verb that logs in. */
export const sessionOptions = {
  ...serverOptions,
  ...marked(retryOptions, { place: "general" }),
  ...marked({ ...passwordOptions, ...codeOptions }, { place: "general" }),
};

export type ServerChoice = ValuesOf<typeof serverOptions>;
export interface SessionChoice
  extends ServerChoice, PasswordSources, Partial<CodeSources>, Partial<RetryChoice> {
  /** The bytes a second of all connections together. Default: no limit. */
  readonly limitRate?: RateAt;
  /** Use this token, and no password or saved login. */
  readonly token?: string;
}

/** A connection that is logged in; its `password` may be a token, and is undefined for a saved login. */
export type Session = Awaited<ReturnType<typeof openSession>>;

/**
 * Connects without logging in.
 *
 * @throws {BargeError} `usage` when no server is named, and as `connect`
 */
export async function connectOnly(
  choice: ServerChoice,
  signal: AbortSignal,
): Promise<{ client: Client; remote: Remote }> {
  const remote = chooseRemote(choice);
  return { client: await dial(remote, choice, signal), remote };
}

/**
 * Connects and logs in with the given password, else with the saved login. Asks for a password on a
 * terminal if there is neither.
 *
 * @param options.password use no saved login: the verb needs the password itself
 * @param options.ahead returns the requests to send with the proof of the login
 * @throws {BargeError} `usage` when no server or account is named, `unauthenticated`, and as
 *   `connect`
 */
export async function openSession(
  choice: SessionChoice,
  signal: AbortSignal,
  options: { readonly password?: boolean; readonly ahead?: RequestsAhead } = {},
) {
  const server = chooseRemote(choice);
  const { token } = choice;
  let password = token === undefined ? await givenPassword(choice) : undefined;
  const codes = new Codes(choice, signal);
  const nextCode = async () => isToken(password) ? undefined : await codes.next();
  const saved = options.password || password !== undefined || token !== undefined
    ? undefined
    : readLogins().findLast((login) => fits(login, server));
  const account = server.account ?? saved?.account ?? await chooseAccount(server, signal);
  const remote = { ...server, account };
  const accepted = token ?? saved?.token;
  const limit = await limitOf(choice);
  const connectOnce = async (
    ahead?: RequestsAhead,
  ): Promise<{ client: Client; login: Login }> => {
    const given = password === undefined
      ? undefined
      : credentialsOf(account, password, await nextCode());
    const credentials = accepted === undefined ? given : { token: accepted, owner: account };
    let login: Promise<Login> | undefined;
    const client = await dial(remote, choice, signal, {
      limit,
      sendWithHello(client) {
        login = credentials && logIn(client, credentials, ahead);
        login?.catch(() => {/* awaited below; the greeting may fail first */});
      },
    });
    try {
      if (!login) {
        password = await needPassword(choice, {
          question: passwordQuestion(account, remote),
          signal,
          ways: options.password ? passwordWays : loginWays,
        });
        login = logIn(client, credentialsOf(account, password, await nextCode()), ahead);
      }
      const done = await login;
      codes.markUsed();
      const owner = done.account;
      if (isToken(password)) checkOwner(owner, account);
      return { client, login: done };
    } catch (error) {
      client.close();
      if (!(error instanceof BargeError)) throw error;
      // The answer can take longer than the server waits on a connection without a login.
      if (error.kind === "code-needed" && await codes.ask(account)) {
        return await connectOnce(ahead);
      }
      if (error.kind !== "unauthenticated" && error.kind !== "code-needed") {
        throw withFactorHint(error, remote);
      }
      throw new BargeError(error.kind, error.message, {
        op: "log in to",
        path: formatRemote(remote),
        hint: error.kind === "code-needed"
          ? codeWays
          : error.hint ?? (saved ? loginEnded : undefined),
        cause: error,
      });
    }
  };
  const retries = new Retries({ retries: 0, retryDelay: 0, ...choice }, signal);
  const { client, login } = await retries.run(() => connectOnce(options.ahead));
  return {
    client,
    remote,
    login,
    password,
    /** The further attempts of the command. */
    retries,
    /** Opens another connection with the same login, which the caller closes, in one attempt. */
    another: async () => (await connectOnce()).client,
    [Symbol.asyncDispose]: () => client[Symbol.asyncDispose](),
  };
}

async function limitOf({ limitRate }: SessionChoice): Promise<RateLimit | undefined> {
  if (limitRate === undefined) return undefined;
  const { RateLimit } = await import("../../core/client/rate_limit.ts");
  return new RateLimit(() => limitRate(new Date()));
}

/** Returns whether a secret given as a password is a token, which serves in its place. */
export function isToken(secret: string | undefined): secret is string {
  return secret !== undefined && /^barge_[^_\s]+_\S+$/.test(secret);
}

/** @throws {BargeError} `unauthenticated` if the owner of a token is not the account that was named */
export function checkOwner(owner: string, account: string): void {
  if (owner.toLowerCase() !== account.toLowerCase()) {
    throw new BargeError("unauthenticated", `the token is of another account: ${owner}`);
  }
}

/** Returns the credentials of a login with a password, or with a token that was given as one. */
export function credentialsOf(account: string, password: string, code?: string): Credentials {
  return isToken(password) ? { token: password, owner: account } : { account, password, code };
}

/** A verb that logs in: `run` gets the session, too. */
interface SessionVerb<T> extends Omit<Declared<T>, "run"> {
  /** Refuses values, before a connection is made. */
  check?(values: T & SessionValues): void;
  /**
   * Returns the first requests that `run` makes, which are sent with the proof of the login. Called during the login, so
   * that modules which it imports are loaded while the server answers.
   */
  ahead?(values: T & SessionValues): ReturnType<RequestsAhead>;
  run(values: T & SessionValues, session: Session, context: Context): Outcome;
}
type SessionValues = ValuesOf<typeof verbOptions> & Common;
/** The options of all verbs that log in, as {@link sessionCommand} declares them. */
const verbOptions = { ...sessionOptions, ...jobOptions };

/** Declares a verb that logs in. @param options as of {@link openSession} */
export function sessionCommand<T>(
  { options, check, ahead, run, ...help }: SessionVerb<T>,
  sessionOptionsOf: Parameters<typeof openSession>[2] = {},
) {
  return command<T & ValuesOf<typeof verbOptions>>({
    ...help,
    options: { ...options, ...verbOptions } as Options<T & ValuesOf<typeof verbOptions>>,
    async run(values, context) {
      check?.(values);
      const runOnce = async () => {
        await using session = await openSession(values, context.signal, {
          ...sessionOptionsOf,
          ahead: ahead && (() => ahead(values)),
        });
        return await run(values, session, context) ?? 0;
      };
      const { lock, log, notify }: ValuesOf<typeof jobOptions> = values;
      if ((lock ?? log ?? notify) === undefined) return await runOnce();
      const { runJob } = await import("./job.ts");
      return await runJob(context.verb, { lock, log, notify }, runOnce);
    },
  });
}

const loginWays = "use `barge login` once, or --password-stdin, --password-file or BARGE_PASSWORD";

/**
 * Connects with the timeout of a choice.
 *
 * @param options as of {@link connect}
 */
export async function dial(
  remote: Remote,
  choice: Pick<ServerChoice, "timeout">,
  signal: AbortSignal,
  options: Pick<ConnectOptions, "sendWithHello" | "limit"> = {},
): Promise<Client> {
  return await connect(remote, {
    signal,
    timeout: choice.timeout === undefined ? undefined : choice.timeout * 1000,
    agent: `barge/${version}`,
    ...options,
  });
}

/** The address of a server. */
function serverAddress(): ValueParser<string> {
  const parse = (text: string) => {
    parseRemote(text); // its failure has a hint
    return text;
  };
  return { ...plain("barge://NAME@HOST:PORT"), parse };
}

/** Returns the server that a choice names. @throws {BargeError} `usage` when none is named */
export function chooseRemote(choice: ServerChoice): Remote {
  const remote = findServer(choice.server);
  if (!remote) throw noServer();
  return secured(remote, choice);
}
