/** Reads a verb's command line, and prints its help. */
import { formatMessage, type Message } from "@optique/core/message";
import { parse } from "@optique/core/parser";
import { BargeError } from "../../core/error.ts";
import type { AnyCommand, Command } from "./command.ts";
import { print, terminal } from "./out.ts";

/** Does a command line ask for help? What is behind `--` is not looked at. */
export function asksForHelp(args: readonly string[]): boolean {
  const end = args.indexOf("--");
  const own = end < 0 ? args : args.slice(0, end);
  return own.includes("--help") || own.includes("-h");
}

/**
 * Reads the options and arguments of a verb.
 *
 * @param name the verb, for instance `user add`
 * @throws {BargeError} `usage`
 */
export function parseArgs<T>(name: string, command: Command<T>, args: readonly string[]): T {
  const result = parse(command.options, [...args]);
  if (result.success) return result.value;
  let [why, more] = plainWords(result.error);
  if (why === "missing required argument") why = `${command.usage}: too few arguments`;
  const dash = /^unexpected option.*"-/.test(why)
    ? "names that begin with a dash go behind --; "
    : "";
  const hint = more || `${dash}\`barge ${name} --help\` tells more`;
  throw new BargeError("usage", why, { op: name, hint });
}

/** Optique's sentences in the form of ours: lower case, no full stop, suggestions apart. */
function plainWords(error: Message): [why: string, more: string] {
  const text = formatMessage(error, { quotes: true, colors: false });
  const [first, ...rest] = text.split(/\n+/).map((line) => line.trim()).filter(Boolean);
  const [title = "", ...near] = rest;
  const more = /^did you mean/i.test(title) && near.length > 0
    ? `did you mean ${near.join(" or ")}?`
    : rest.join(" ");
  return [lower(first.replace(/\.$/, "")), lower(more)];
}

function lower(sentence: string): string {
  return sentence.replace(/^[A-Z](?=[a-z ])/, (letter) => letter.toLowerCase());
}

/** Prints a verb's help on standard output. */
export async function printHelp(name: string, brief: string, command: AnyCommand): Promise<void> {
  const { formatDocPage } = await import("@optique/core/doc");
  const { getDocPage } = await import("@optique/core/parser");
  const { sections = [] } = getDocPage(command.options) ?? {};
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
