/** The shell's help. */
import { print, printJson } from "../_term/out.ts";
import { menuLines } from "./menu.ts";
import { type Call, findRow, type Row, usage } from "./command.ts";
import { unknownCommand } from "./run.ts";

export function help({ shell, args, rows }: Call): void {
  const [name] = args;
  const row = name === undefined ? undefined : findRow(rows, name);
  if (name !== undefined && !row) throw unknownCommand(name, rows);
  if (shell.json) (row ? [row] : rows).forEach((row) => printJson(fields(row)));
  else if (row) printRow(row);
  else printRows(rows);
}

export function menu(): void {
  menuLines().forEach((line) => print(line));
}

function fields({ name, aliases = [], args = "", flags = {}, brief }: Row) {
  return { name, aliases, args, flags, brief };
}

function printRows(rows: readonly Row[]): void {
  const width = Math.max(...rows.map((row) => usage(row).length));
  for (const row of rows) {
    const also = row.aliases ? ` (also ${row.aliases.join(", ")})` : "";
    print(`  ${usage(row).padEnd(width)}  ${row.brief}${also}`);
  }
  print(`
Paths start at the working folder. Your files are in /home, shared files in /public.
* and ? have no special meaning in names at the server.
A name with spaces: "my file" or my\\ file. Tab completes, the arrow keys recall lines,
Ctrl-C stops the running command.`);
}

function printRow(row: Row): void {
  print(`${usage(row)}: ${row.brief}`);
  for (const [letter, meaning] of Object.entries(row.flags ?? {})) {
    print(`  -${letter}  ${meaning}`);
  }
  if (row.aliases) print(`  also: ${row.aliases.join(", ")}`);
  if (row.about) print(`\n${row.about}`);
}
