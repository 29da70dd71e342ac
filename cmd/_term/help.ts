/** Prints a verb's help. */
import { formatDocPage } from "@optique/core/doc";
import { getDocPage } from "@optique/core/parser";
import type { AnyCommand } from "./command.ts";
import { parserOf } from "./optique.ts";
import { print, terminal } from "./out.ts";

/** Prints a verb's help on standard output. */
export function printHelp(name: string, brief: string, command: AnyCommand): void {
  const { sections = [] } = getDocPage(parserOf(command.options)) ?? {};
  const columns = width();
  const usage = ["barge", name, "[OPTIONS]", command.usage].filter(Boolean).join(" ");
  print(`barge ${name}: ${brief}\n\nUsage: ${usage}`);
  for (const paragraph of command.about.split(/\n{2,}/)) print(`\n${wrap(paragraph, columns)}`);
  const page = formatDocPage("barge", { sections }, {
    colors: terminal.stdout && !Deno.env.get("NO_COLOR"),
    maxWidth: columns,
    termWidth: 26,
    showUsage: false,
  });
  print(page.replace(/ +$/gm, "").trimEnd());
  if (command.examples.length > 0) print("\nExamples:");
  for (const [line, what] of command.examples) print(`  ${line}\n      ${what}`);
}

function wrap(paragraph: string, columns: number): string {
  const lines: string[] = [];
  for (const word of paragraph.trim().split(/\s+/)) {
    const last = lines.at(-1);
    if (last === undefined || last.length + 1 + word.length > columns) lines.push(word);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines.join("\n");
}

function width(): number {
  if (!terminal.stdout) return 100;
  try {
    return Math.min(100, Math.max(60, Deno.consoleSize().columns - 1));
  } catch {
    return 100;
  }
}
