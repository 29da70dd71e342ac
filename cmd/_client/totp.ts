/** Changes of the second factor, which need the password and no login. */
import type { Client } from "../../core/client/client.ts";
import { BargeError } from "../../core/error.ts";
import {
  command,
  type Common,
  type Context,
  type Declared,
  marked,
  type Options,
  type Outcome,
  type ValuesOf,
} from "../_term/command.ts";
import { note, print, printJson } from "../_term/out.ts";
import { chooseAccount, passwordQuestion } from "./choose.ts";
import { askCode, codeOptions, givenCode } from "./code.ts";
import { fits, readLogins } from "./logins.ts";
import { needPassword, passwordOptions, passwordWays } from "./password.ts";
import { chooseRemote, dial, isToken, serverOptions } from "./session.ts";

const totpOptions = {
  ...serverOptions,
  ...marked({ ...passwordOptions, ...codeOptions }, { place: "general" }),
};
type TotpValues = ValuesOf<typeof totpOptions> & Common;

/** The account whose second factor is changed. */
export interface Factor {
  readonly account: string;
  readonly password: string;
  /** The name of the server's machine. */
  readonly host: string;
  /** Runs work on a connection of its own. */
  readonly at: <T>(work: (client: Client) => Promise<T>) => Promise<T>;
}

/** Declares a verb that changes the second factor. */
export function totpCommand<T>(
  { options, run, ...help }: Omit<Declared<T>, "run"> & {
    run(values: T & TotpValues, factor: Factor, context: Context): Outcome;
  },
) {
  return command<T & ValuesOf<typeof totpOptions>>({
    ...help,
    options: { ...options, ...totpOptions } as Options<T & ValuesOf<typeof totpOptions>>,
    async run(values, context) {
      return await run(values, await factorOf(values, context.signal), context);
    },
  });
}

async function factorOf(values: TotpValues, signal: AbortSignal): Promise<Factor> {
  const remote = chooseRemote(values);
  const saved = readLogins().findLast((login) => fits(login, remote));
  const account = remote.account ?? saved?.account ?? await chooseAccount(remote, signal);
  const password = await needPassword(values, {
    question: passwordQuestion(account, remote),
    signal,
    ways: passwordWays,
  });
  if (isToken(password)) {
    throw new BargeError("usage", "the second factor is changed with the password, not a token");
  }
  const at: Factor["at"] = async (work) => {
    await using client = await dial(remote, values, signal);
    return await work(client);
  };
  return { account, password, host: remote.host, at };
}

/** Returns a code of the second factor: given, or asked for. @throws {BargeError} `code-needed` */
export async function needCode(
  values: TotpValues,
  { account }: Factor,
  signal: AbortSignal,
): Promise<string> {
  const code = await givenCode(values) ?? await askCode(account, signal);
  if (code !== undefined) return code;
  throw new BargeError("code-needed", "a code of the second factor is needed", {
    hint: "use --code-file or BARGE_CODE",
  });
}

/** Prints new recovery codes, one a line. */
export function printCodes(json: boolean, account: string, codes: readonly string[]): void {
  if (json) return printJson({ account, codes });
  codes.forEach((code) => print(code));
  note(
    "keep these recovery codes: each logs in once in place of a code. They can't be shown again",
  );
}
