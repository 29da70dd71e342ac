/** The shell's commands that list and show, and that change the working folders. */
import { digest as digestOf } from "../../core/client/digest.ts";
import { stat as statOf } from "../../core/client/stat.ts";
import { trimSlashes } from "../../core/client/path.ts";
import { BargeError, typed } from "../../core/error.ts";
import { sumLine } from "../../core/protocol/printable.ts";
import { printStat } from "../_client/entry.ts";
import { printList } from "../_client/list.ts";
import { printJson, printLine, terminal, terminalWidth } from "../_term/out.ts";
import { columns } from "./columns.ts";
import { expandHome, home, resolveRemote, shared } from "./paths.ts";
import type { Call } from "./command.ts";

export async function ls(call: Call): Promise<void> {
  await show(call, resolveRemote(call.shell.folder, call.args[0] ?? ""), call.flags.has("l"));
}

export async function listOwn(call: Call): Promise<void> {
  await show(call, home, true);
}

export async function listPublic(call: Call): Promise<void> {
  await show(call, shared, true);
}

async function show({ shell, flags, signal }: Call, path: string, long: boolean): Promise<void> {
  const names: string[] = [];
  await printList(await shell.link.client(signal), path, {
    recursive: flags.has("r"),
    long,
    json: shell.json,
    onName: terminal.stdout ? (name) => names.push(name) : undefined,
    signal,
  });
  if (names.length > 0) columns(names, terminalWidth()).forEach(printLine);
}

export async function stat({ shell, args, signal }: Call): Promise<void> {
  const client = await shell.link.client(signal);
  for (const typed of args) {
    const path = trimSlashes(resolveRemote(shell.folder, typed));
    printStat(path, await statOf(client, path), shell.json);
  }
}

export const algorithms = ["sha256", "md5"] as const;

export async function digest({ shell, args, signal }: Call): Promise<void> {
  const [typed, word = "sha256"] = args;
  const algorithm = algorithms.find((name) => name === word);
  if (!algorithm) {
    throw new BargeError("usage", `${JSON.stringify(word)} is not md5 or sha256`, { op: "digest" });
  }
  const path = resolveRemote(shell.folder, typed);
  const answer = await digestOf(await shell.link.client(signal), path, { algorithm });
  if (shell.json) printJson({ path, algorithm, digest: answer.digest });
  else printLine(sumLine(answer.digest, path));
}

export async function cd({ shell, args, signal }: Call): Promise<void> {
  const path = trimSlashes(resolveRemote(shell.folder, args[0] ?? home));
  if (path !== "/") {
    const { entry } = await statOf(await shell.link.client(signal), path);
    if (entry?.type !== "dir") throw new BargeError("no-directory", "it is not a folder", { path });
  }
  shell.folder = path;
  if (shell.json) printJson({ path });
}

export function pwd({ shell }: Call): void {
  if (shell.json) printJson({ path: shell.folder });
  else printLine(shell.folder);
}

/** Changes the local working folder, which is the working folder of the process. */
export function lcd({ shell, args }: Call): void {
  const local = expandHome(args[0] ?? "~");
  try {
    Deno.chdir(local);
  } catch (cause) {
    const facts = { op: "lcd", path: local };
    if (!(cause instanceof Deno.errors.NotFound)) throw typed(cause, facts);
    throw new BargeError("no-directory", "there is no such folder", facts);
  }
  if (shell.json) printJson({ local: Deno.cwd() });
  else shell.note(`the local folder is ${Deno.cwd()}`);
}

export function lpwd({ shell }: Call): void {
  if (shell.json) printJson({ local: Deno.cwd() });
  else printLine(Deno.cwd());
}
