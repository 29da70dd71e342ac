/** Prompts on a terminal, and restores its mode in any case. */
import { BargeError } from "../../core/error.ts";
import { terminal, terminalWidth } from "./out.ts";

/** Returns whether a person can answer. */
export function canAsk(): boolean {
  return terminal.stdin && terminal.stderr;
}

/**
 * Asks for a password, whose characters are not shown.
 *
 * @param options.twice ask twice and compare
 * @throws {BargeError} `interrupted`
 */
export async function askPassword(
  question: string,
  { twice, signal }: { twice: boolean; signal: AbortSignal },
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
  const first = await ask(question, (text) => text ? undefined : "It can't be empty.");
  if (twice) await ask("Again", (text) => text === first ? undefined : "It is not the same.");
  return first;
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

/** Returns standard error. A terminal of 0 columns gets the usual width: prompts break their lines at it. */
async function screen() {
  const { default: { stderr } } = await import("node:process");
  if (!stderr.columns) Object.defineProperty(stderr, "columns", { value: terminalWidth() });
  return stderr;
}
