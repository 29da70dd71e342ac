/**
 * The shell's menu: common commands by number. A number alone on a line prompts for the command's
 * argument, and stands for the command's line.
 */
import { quote } from "./words.ts";

interface Choice {
  readonly number: string;
  readonly label: string;
  readonly command: string;
  /** The question for its argument. */
  readonly question?: string;
}

const choices: readonly Choice[] = [
  { number: "1", label: "list your files", command: "mine" },
  { number: "2", label: "show how much space is left", command: "left" },
  { number: "3", label: "list the shared files", command: "public" },
  { number: "4", label: "fetch a file", command: "get", question: "Name at the server" },
  { number: "5", label: "send a file", command: "put", question: "Name on this machine" },
  { number: "6", label: "ask for a larger quota", command: "grow", question: "Size, like 20GiB" },
  { number: "7", label: "list all commands", command: "help" },
  { number: "0", label: "leave", command: "exit" },
];

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
  const { command, question } = choice;
  if (question === undefined) return command;
  const answer = await ask(`${question}: `);
  if (answer === null) return null;
  return answer.trim() === "" ? "" : `${command} ${quote(answer.trim())}`;
}
