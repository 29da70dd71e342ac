/** Gets passwords, but not from the command line, where other users could read them. */
import { BargeError, typed } from "../../core/error.ts";
import {
  checkNewPassword,
  defaultMinPasswordLength,
  maxMinPasswordLength,
} from "../../core/protocol/password.ts";
import { flag, marked, value, valueOr, type ValuesOf } from "../_term/command.ts";
import { note, print, printJson } from "../_term/out.ts";
import { count, path } from "../_term/value.ts";

/** The options of a verb that needs a password. */
export const passwordOptions = {
  passwordStdin: flag("Read the password from standard input, one line"),
  ...marked({
    passwordFile: value(path("FILE"), "Read the password from a file, one line"),
  }, { excludes: ["passwordStdin"] }),
};

/** The options of a verb that gives an account a password. */
export const newPasswordOptions = {
  ...passwordOptions,
  generate: flag("Make a random password and print it on standard output"),
};

/** The option of a verb that sets passwords in a data directory, without asking a server. */
export const minPasswordOption = {
  minPassword: valueOr(
    count("N", 0, maxMinPasswordLength),
    defaultMinPasswordLength,
    `The fewest characters of a new password. Default: ${defaultMinPasswordLength}`,
  ),
};

export interface PasswordSources extends ValuesOf<typeof passwordOptions> {
  /** False: do not read BARGE_PASSWORD, which is for another password. Default: true. */
  readonly environment?: boolean;
}

/** No source: {@link needPassword} then always prompts. */
export const promptOnly: PasswordSources = {
  passwordStdin: false,
  passwordFile: undefined,
  environment: false,
};

/** The ways to give a password, as a hint. */
export const passwordWays = "use --password-stdin, --password-file or BARGE_PASSWORD";

/** The hint for `-` as the file of a secret, where no option reads the secret from standard input. */
export const noStdinHint = "name a file: - does not stand for standard input here";

/**
 * Returns the password from standard input, a file or BARGE_PASSWORD; undefined if none is named.
 *
 * @param stdinHint the hint for a missing file of the name `-`
 * @throws {BargeError} `usage` for an empty password; the failure to read the file
 */
export async function givenPassword(
  from: PasswordSources,
  stdinHint = "use --password-stdin",
): Promise<string | undefined> {
  if (from.passwordStdin && from.passwordFile !== undefined) {
    throw new BargeError("usage", "--password-stdin and --password-file exclude each other");
  }
  if (from.passwordStdin) return firstLine(await readStdin(), "standard input");
  if (from.passwordFile !== undefined) return await readPasswordFile(from.passwordFile, stdinHint);
  if (from.environment === false) return undefined;
  return Deno.env.get("BARGE_PASSWORD") || undefined;
}

/** Returns the first line of a file. @param stdinHint as of {@link readSecretLine} @throws {BargeError} */
export async function readPasswordFile(path: string, stdinHint?: string): Promise<string> {
  return await readSecretLine(path, "password", stdinHint);
}

/**
 * Returns the first line of a file.
 *
 * @param what the secret in it, for messages
 * @param stdinHint the hint for a missing file of the name `-`
 * @throws {BargeError}
 */
export async function readSecretLine(
  path: string,
  what: string,
  stdinHint = noStdinHint,
): Promise<string> {
  const text = await Deno.readTextFile(path).catch((cause) => {
    const hint = path === "-" ? stdinHint : undefined;
    throw typed(cause, { op: `read ${what}`, path, hint });
  });
  return firstLine(text, path, what);
}

/**
 * Returns the given password; prompts for it on a terminal if there is none.
 *
 * @param options.minLength the fewest characters of a new password; the prompt asks twice and compares
 * @param options.ways the ways to give the password, for the hint
 * @throws {BargeError} without a terminal: `usage` for a new password, else `unauthenticated`
 */
export async function needPassword(
  from: PasswordSources,
  options: { question: string; minLength?: number; signal: AbortSignal; ways?: string },
): Promise<string> {
  const password = await givenPassword(from);
  if (password !== undefined) return password;
  const { askPassword, canAsk } = await import("../_term/prompt.ts");
  if (!canAsk()) {
    const kind = options.minLength === undefined ? "unauthenticated" : "usage";
    throw new BargeError(kind, "a password is needed", {
      hint: options.ways ?? passwordWays,
    });
  }
  return await askPassword(options.question, options);
}

/**
 * Returns the new password of an account: given, generated, or entered twice.
 *
 * @param minLength in characters
 * @throws {BargeError} `usage` for a password that is too short, and as {@link needPassword}
 */
export async function newPassword(
  from: PasswordSources & { readonly generate: boolean },
  question: string,
  minLength: number,
  signal: AbortSignal,
): Promise<{ password: string; generated?: string }> {
  const { passwordStdin, passwordFile, generate } = from;
  if (generate && (passwordStdin || passwordFile !== undefined)) {
    throw new BargeError("usage", "--generate and a given password contradict each other");
  }
  const random = generate ? randomPassword(minLength) : undefined;
  if (random !== undefined) return { password: random, generated: random };
  const ways = `${passwordWays}, or --generate`;
  const password = await needPassword(from, { question, minLength, signal, ways });
  checkNewPassword(password, minLength);
  return { password };
}

/** Prints a changed account: as JSON, or as lines; and the password that was generated for it. */
export function printWithPassword(
  json: boolean,
  fields: object,
  lines: readonly string[],
  generated: string | undefined,
): void {
  if (json) return printJson({ ...fields, ...(generated && { password: generated }) });
  lines.forEach(note);
  if (generated !== undefined) print(generated);
}

/**
 * Returns a random password: 24 letters and digits of 5 random bits each.
 *
 * @param minLength the number of characters, if it is more than 24
 */
export function randomPassword(minLength = 0): string {
  const letters = "23456789abcdefghijkmnpqrstuvwxyz";
  const bytes = crypto.getRandomValues(new Uint8Array(Math.max(24, minLength)));
  return Array.from(bytes, (byte) => letters[byte & 31]).join("");
}

function firstLine(text: string, where: string, what = "password"): string {
  const line = text.split("\n", 1)[0].replace(/\r$/, "");
  if (line === "") {
    throw new BargeError("usage", `the ${what} is empty`, { op: "read", path: where });
  }
  return line;
}

async function readStdin(): Promise<string> {
  return await new Response(Deno.stdin.readable).text();
}
