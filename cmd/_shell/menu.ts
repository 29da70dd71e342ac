/**
 * The shell's menu: common commands by number. A number alone on a line asks for the arguments, and
 * is replaced by the command's line.
 */
import { quote } from "./words.ts";

interface Choice {
  readonly number: string;
  readonly label: string;
  /** The command, and a question for each of its arguments. */
  readonly command: string;
  readonly questions: readonly string[];
}

const choices: readonly Choice[] = [
  { number: "1", label: "list your files", command: "mine", questions: [] },
  { number: "2", label: "show how much space is left", command: "left", questions: [] },
  { number: "3", label: "list the shared files", command: "public", questions: [] },
  { number: "4", label: "fetch a file", command: "get", questions: ["Name at the server"] },
  { number: "5", label: "send a file", command: "put", questions: ["Name on this machine"] },
  {
    number: "6",
    label: "ask for a larger quota",
    command: "grow",
    questions: ["Size, like 20GiB"],
  },
  { number: "7", label: "list all commands", command: "help", questions: [] },
  { number: "0", label: "leave", command: "exit", questions: [] },
];

/** Returns the lines of the menu. */
export function menuLines(): string[] {
  return choices.map(({ number, label }) => `  ${number}  ${label}`);
}

/**
 * Returns the command line for a typed number, and any other line unchanged.
 *
 * @param ask shows a question and returns the answer, null at the end of the input
 * @returns an empty line where a question got an empty answer, null at the end of the input
 */
export async function expandChoice(
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
