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
 * Asks for a password, whose characters are not shown. A refused answer is cleared, so that the next one starts empty.
 *
 * @param options.minLength the fewest characters of a new password, which is asked for twice until both are the same
 * @throws {BargeError} `interrupted`
 */
export async function askPassword(
  question: string,
  { minLength, signal }: { minLength?: number; signal: AbortSignal },
): Promise<string> {
  const { isCancel, log, password } = await import("@clack/prompts");
  const output = await screen();
  const ask = async (
    message: string,
    validate?: (text: string | undefined) => string | undefined,
  ) => {
    const options = { message, validate, signal, output, mask: "", clearOnError: true };
    const answer = await password(options);
    if (isCancel(answer)) throw new BargeError("interrupted", "no password was given");
    return answer;
  };
  if (minLength === undefined) {
    return await ask(question, (text) => text ? undefined : "It can't be empty.");
  }
  for (;;) {
    const first = await ask(question, (text) => faultOf(text ?? "", minLength));
    if (await ask("Again") === first) return first;
    log.error("The passwords are not the same. Enter both again.", { output });
  }
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
