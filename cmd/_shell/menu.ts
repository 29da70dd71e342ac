/**
 * The shell's menu: common commands by number. A number alone on a line prompts for the command's
 * arguments, and becomes the command's line, as if it had been typed.
 */
import { quote } from "./words.ts";

interface Choice {
  readonly number: string;
  readonly what: string;
  /** The command, and a question for each of its arguments. */
  readonly command: string;
  readonly questions: readonly string[];
}

const choices: readonly Choice[] = [
  { number: "1", what: "list your files", command: "mine", questions: [] },
  { number: "2", what: "show how much space is left", command: "left", questions: [] },
  { number: "3", what: "list what everyone shares", command: "public", questions: [] },
  { number: "4", what: "fetch a file", command: "get", questions: ["Name at the server"] },
  { number: "5", what: "send a file", command: "put", questions: ["Name on this machine"] },
  { number: "6", what: "ask for more capacity", command: "grow", questions: ["Size, like 20GiB"] },
  { number: "7", what: "list all commands", command: "help", questions: [] },
  { number: "0", what: "leave", command: "exit", questions: [] },
];

/** Returns the lines of the menu. */
export function menuLines(): string[] {
  return choices.map(({ number, what }) => `  ${number}  ${what}`);
}

/**
 * Returns the command line for a typed number, and any other line unchanged.
 *
 * @param ask shows a question and returns the answer, null at the end of the input
 * @returns an empty line where a question got an empty answer, null at the end of the input
 *
 * @example
 * ```ts
 * import { chosen } from "./menu.ts";
 * const line = await chosen("4", () => Promise.resolve("my file"));
 * if (line !== "get my\\ file") throw new Error(String(line));
 * ```
 */
export async function chosen(
  line: string,
  ask: (question: string) => Promise<string | null>,
): Promise<string | null> {
  const choice = choices.find(({ number }) => number === line.trim());
  if (!choice) return line;
  const words = [choice.command];
  for (const question of choice.questions) {
    const answer = await ask(`${question}: `);
    if (answer === null) return null;
    if (answer.trim() === "") return "";
    words.push(quote(answer.trim()));
  }
  return words.join(" ");
}
