/** The shell's commands for this machine. */
import { BargeError, typed } from "../../core/error.ts";
import { lendTerminal } from "../_term/interrupt.ts";
import { otherCode } from "../_term/exit.ts";
import {
  finish,
  printJson,
  printLine,
  terminal,
  terminalWidth,
  writeStdout,
} from "../_term/out.ts";
import { printable } from "../../core/protocol/printable.ts";
import { columns } from "./columns.ts";
import { expandHome } from "./paths.ts";
import type { Call } from "./command.ts";

export function lls({ shell, args }: Call): void {
  const folder = expandHome(args[0] ?? ".");
  let names: string[];
  try {
    names = Array.from(
      Deno.readDirSync(folder),
      ({ name, isDirectory }) => isDirectory ? `${name}/` : name,
    ).sort();
  } catch (cause) {
    throw typed(cause, { op: "lls", path: folder });
  }
  if (shell.json) names.forEach((name) => printJson({ local: name }));
  else if (terminal.stdout) columns(names.map(printable), terminalWidth()).forEach(printLine);
  else names.forEach(printLine);
}

export function clear(): void {
  if (terminal.stdout) writeStdout(new TextEncoder().encode("\x1b[H\x1b[2J\x1b[3J"));
}

/** Runs a command in the local shell. @returns 0, or 1 when it failed */
export async function runHere({ shell, args, signal }: Call): Promise<number> {
  const [text = ""] = args;
  if (text.trim() === "") throw new BargeError("usage", "no command follows the !", { op: "!" });
  await finish(); // earlier output comes first
  const [program, ...words] = Deno.build.os === "windows"
    ? ["cmd", "/c", text]
    : [Deno.env.get("SHELL") || "/bin/sh", "-c", text];
  const run = async () => {
    const { code } = await new Deno.Command(program, {
      args: words,
      stdin: shell.interactive ? "inherit" : "null", // a script's input holds the shell's commands
      stdout: "inherit",
      stderr: "inherit",
      signal,
    }).spawn().status;
    return code === 0 ? 0 : otherCode;
  };
  try {
    return await shell.aside(() => lendTerminal(run));
  } catch (cause) {
    throw typed(cause, { op: "!", path: program });
  }
}
