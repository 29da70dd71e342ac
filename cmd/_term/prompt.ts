/** Prompts on a terminal, and restores its mode in any case. */
import { BargeError } from "../../core/error.ts";
import { checkNewPassword } from "../../core/protocol/password.ts";
import { terminal, terminalWidth } from "./out.ts";

/** The height of a terminal without a size, in lines. */
const usualRows = 24;

/** Returns whether a person can answer. */
export function canAsk(): boolean {
  return terminal.stdin && terminal.stderr;
}

/**
 * Asks for a password, whose characters are not shown.
 *
 * @param options.minLength the fewest characters of a new password, which is asked for twice and compared
 * @throws {BargeError} `interrupted`
 */
export async function askPassword(
  question: string,
  { minLength, signal }: { minLength?: number; signal: AbortSignal },
): Promise<string> {
  const { isCancel, password } = await import("@clack/prompts");
  const output = await screen();
  const ask = async (
    message: string,
    validate: (text: string | undefined) => string | undefined,
  ) => {
    const answer = await password({ message, validate, signal, output, mask: "" });
    if (isCancel(answer)) throw new BargeError("interrupted", "no password was given");
    return answer;
  };
  const isNew = minLength !== undefined;
  const first = await ask(
    question,
    (text) => !text ? "It can't be empty." : isNew ? faultOf(text, minLength) : undefined,
  );
  if (isNew) await ask("Again", (text) => text === first ? undefined : "It is not the same.");
  return first;
}

/** Returns the fault of a new password; undefined for none. */
function faultOf(password: string, minLength: number): string | undefined {
  try {
    checkNewPassword(password, minLength);
    return undefined;
  } catch (error) {
    if (!(error instanceof BargeError)) throw error;
    return error.message;
  }
}

/** Asks for a line of text. @throws {BargeError} `interrupted` */
export async function askText(question: string, signal: AbortSignal): Promise<string> {
  const { isCancel, text } = await import("@clack/prompts");
  const answer = await text({
    message: question,
    validate: (text) => text?.trim() ? undefined : "It can't be empty.",
    signal,
    output: await screen(),
  });
  if (isCancel(answer)) throw new BargeError("interrupted", "no answer was given");
  return answer.trim();
}

/** Asks a question for yes or no; no is the default. Ctrl-C answers no. */
export async function confirm(question: string, signal: AbortSignal): Promise<boolean> {
  const { confirm } = await import("@clack/prompts");
  const options = { message: question, initialValue: false, signal, output: await screen() };
  return await confirm(options) === true;
}

/**
 * Returns standard error. A terminal without a size, such as a serial console, gets a usual one: prompts break
 * their lines at its width, and draw nothing below its height.
 */
async function screen() {
  const { default: { stderr } } = await import("node:process");
  if (!stderr.columns) Object.defineProperty(stderr, "columns", { value: terminalWidth() });
  if (!stderr.rows) Object.defineProperty(stderr, "rows", { value: usualRows });
  return stderr;
}
