/** Where a password comes from: never from the command line itself, where others could read it. */
import { BargeError, typed } from "../../core/error.ts";
import {
  checkNewPassword,
  defaultMinPassword,
  mostMinPassword,
} from "../../core/protocol/password.ts";
import { flag, value, valueOr } from "../_term/options.ts";
import { count, path } from "../_term/value.ts";

/** The options of a verb that needs a password. */
export const passwordOptions = {
  passwordStdin: flag(["--password-stdin"], "Read the password from standard input, one line"),
  passwordFile: value(
    ["--password-file"],
    path("FILE"),
    "Read the password from a file, one line",
  ),
};

/** The options of a verb that gives an account a password. */
export const newPasswordOptions = {
  ...passwordOptions,
  generate: flag(["--generate"], "Make a random password and print it on standard output"),
};

/** The option of a verb that sets passwords in a data directory, without asking a server. */
export const minPasswordOption = {
  minPassword: valueOr(
    ["--min-password"],
    count("N", 0, mostMinPassword),
    defaultMinPassword,
    `The fewest characters of a new password. Default: ${defaultMinPassword}`,
  ),
};

export interface PasswordSources {
  readonly passwordStdin: boolean;
  readonly passwordFile: string | undefined;
  /** False: BARGE_PASSWORD is about another password. */
  readonly environment?: boolean;
}

/** The ways to give a password, as a hint. */
export const passwordWays = "use --password-stdin, --password-file or BARGE_PASSWORD";

/**
 * The password from standard input, a file or BARGE_PASSWORD.
 *
 * @returns undefined when none of them was named
 * @throws {BargeError} `usage` for an empty one; what reading the file gives
 */
export async function givenPassword(from: PasswordSources): Promise<string | undefined> {
  if (from.passwordStdin && from.passwordFile !== undefined) {
    throw new BargeError("usage", "--password-stdin and --password-file are both given", {
      hint: "one of them is enough",
    });
  }
  if (from.passwordStdin) return firstLine(await readStdin(), "standard input");
  if (from.passwordFile !== undefined) return await readPasswordFile(from.passwordFile);
  if (from.environment === false) return undefined;
  return Deno.env.get("BARGE_PASSWORD") || undefined;
}

/** A password from a file: its first line. @throws {BargeError} */
export async function readPasswordFile(path: string): Promise<string> {
  const text = await Deno.readTextFile(path).catch((cause) => {
    throw typed(cause, { op: "read password", path });
  });
  return firstLine(text, path);
}

/**
 * The password that a verb needs, asked for on a terminal when it is not given.
 *
 * @param options.question what to ask, and `twice` when it is to be a new one
 * @throws {BargeError} `usage`, or `kind`, with the ways to give one, when there is no terminal
 */
export async function needPassword(
  from: PasswordSources,
  options: { question: string; twice: boolean; signal: AbortSignal; ways?: string },
): Promise<string> {
  const given = await givenPassword(from);
  if (given !== undefined) return given;
  const { askPassword, canAsk } = await import("../_term/prompt.ts");
  if (!canAsk()) {
    throw new BargeError(options.twice ? "usage" : "unauthenticated", "a password is needed", {
      hint: options.ways ?? passwordWays,
    });
  }
  return await askPassword(options.question, options);
}

/**
 * The password that an account is to have: given, generated, or asked for twice.
 *
 * @param least how many characters it must have
 * @throws {BargeError} `usage` for one that is too short, and as {@link needPassword}
 */
export async function newPassword(
  from: PasswordSources & { readonly generate: boolean },
  question: string,
  least: number,
  signal: AbortSignal,
): Promise<{ password: string; generated: boolean }> {
  const { passwordStdin, passwordFile, generate } = from;
  if (generate && (passwordStdin || passwordFile !== undefined)) {
    throw new BargeError("usage", "--generate and a given password contradict each other");
  }
  if (generate) return { password: randomPassword(least), generated: true };
  const ways = `${passwordWays}, or --generate`;
  const password = await needPassword(from, { question, twice: true, signal, ways });
  checkNewPassword(password, least);
  return { password, generated: false };
}

/**
 * A password that nobody has to remember: 120 random bits in 24 letters and digits.
 *
 * @param least more of them, if it must have more characters
 */
export function randomPassword(least = 0): string {
  const letters = "23456789abcdefghijkmnpqrstuvwxyz";
  const bytes = crypto.getRandomValues(new Uint8Array(Math.max(24, least)));
  return Array.from(bytes, (byte) => letters[byte & 31]).join("");
}

function firstLine(text: string, where: string): string {
  const line = text.split("\n", 1)[0].replace(/\r$/, "");
  if (line === "") {
    throw new BargeError("usage", "the password is empty", { op: "read", path: where });
  }
  return line;
}

async function readStdin(): Promise<string> {
  return await new Response(Deno.stdin.readable).text();
}
