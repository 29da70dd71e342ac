/** Prints a verb's help. */
import { type AnyCommand, type Option, usageOf, variableOf } from "./command.ts";
import { print, terminal, terminalWidth } from "./out.ts";

/** The column in which the options' explanations begin. */
const helpColumn = 30;

export function printHelp(name: string, brief: string, command: AnyCommand): void {
  const columns = width();
  const usage = ["barge", name, "[OPTIONS]", usageOf(command)].filter(Boolean).join(" ");
  print(`barge ${name}: ${brief}\n\nUsage: ${usage}`);
  for (const paragraph of command.about.split(/\n{2,}/)) {
    print(`\n${wrap(paragraph, columns).join("\n")}`);
  }
  print("");
  const options = Object.values<Option<unknown>>(command.options)
    .filter(({ kind }) => kind !== "rest")
    .sort((a, b) => Number(a.names.length === 0) - Number(b.names.length === 0));
  for (const option of options) print(optionHelp(option, columns));
  if (command.examples.length > 0) print("\nExamples:");
  for (const [line, purpose] of command.examples) print(`  ${line}\n      ${purpose}`);
}

/** Returns an option's names, explanation and variable. Long names have a line of their own. */
function optionHelp({ kind, names, help, parser }: Option<unknown>, columns: number): string {
  const metavar = kind === "flag" ? "" : parser.metavar;
  const head = "  " + [names.join(", "), metavar].filter(Boolean).join(" ");
  const text = names.length === 0 ? help : `${help} [${variableOf(names)}]`;
  const lines = wrap(text, columns - helpColumn);
  const first = head.length < helpColumn - 1 ? head.padEnd(helpColumn) + lines.shift() : head;
  return [first, ...lines.map((line) => " ".repeat(helpColumn) + line)].join("\n");
}

function wrap(paragraph: string, columns: number): string[] {
  const lines: string[] = [];
  for (const word of paragraph.trim().split(/\s+/)) {
    const last = lines.at(-1);
    if (last === undefined || last.length + 1 + word.length > columns) lines.push(word);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines;
}

function width(): number {
  return terminal.stdout ? Math.min(100, Math.max(60, terminalWidth() - 1)) : 100;
}
