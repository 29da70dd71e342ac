/** The shell's commands that change files and folders at the server. */
import type { Client } from "../../core/client/client.ts";
import { copy, move, remove } from "../../core/client/change.ts";
import { stat } from "../../core/client/stat.ts";
import { trimSlashes } from "../../core/client/path.ts";
import { BargeError } from "../../core/error.ts";
import { copyAll } from "../_client/copy_all.ts";
import { eachPath } from "../_client/each_path.ts";
import { makeFolder } from "../_client/make_folder.ts";
import { printJson } from "../_term/out.ts";
import { formatSize } from "../../core/size.ts";
import { targets } from "../_client/move_target.ts";
import { baseIn, home, resolveRemote, shared } from "./paths.ts";
import type { Call } from "./command.ts";
import { quote } from "./words.ts";

export async function publish(call: Call): Promise<void> {
  await copyAcross(call, home, shared, "published as");
}

export async function claim(call: Call): Promise<void> {
  await copyAcross(call, shared, home, "copied to");
}

async function copyAcross(call: Call, from: string, to: string, done: string): Promise<void> {
  const { shell, args, flags, signal } = call;
  const [typed, name] = args;
  const op = from === home ? "publish" : "claim";
  const source = trimSlashes(resolveRemote(baseIn(from, shell.folder), typed));
  if (!source.startsWith(`${from}/`)) {
    throw new BargeError("usage", `it is not in ${from}`, { op, path: source });
  }
  const client = await shell.link.client(signal);
  await needFile(client, op, source);
  const target = (await targets(client, op, [source], resolveRemote(to, name ?? "./")))(source);
  if (!target.startsWith(`${to}/`)) {
    throw new BargeError("usage", `it would not be in ${to}`, { op, path: target });
  }
  const overwrite = op === "publish" || flags.has("f") ? "always" : "never";
  const hint = `-f replaces it, or name the copy: ${op} ${quote(typed)} NAME`;
  const { size, sha256 } = await copy(client, source, target, overwrite).catch((error) => {
    if (!(error instanceof BargeError) || error.kind !== "exists" || overwrite === "always") {
      throw error;
    }
    // The server's failure has the path of the source, but it is the target that exists.
    throw new BargeError("exists", error.message, { op, path: target, hint, cause: error });
  });
  if (shell.json) printJson({ from: source, to: target, size, sha256 });
  else shell.note(`${done} ${target} (${formatSize(size)})`);
}

async function needFile(client: Client, op: string, path: string): Promise<void> {
  const { entry } = await stat(client, path);
  if (entry?.type !== "dir") return;
  throw new BargeError("usage", "it is a folder", {
    op,
    path,
    hint: "`barge cp -r` copies folders",
  });
}

export async function rm({ shell, args, flags, signal }: Call): Promise<number> {
  const client = await shell.link.client(signal);
  const paths = args.map((typed) => trimSlashes(resolveRemote(shell.folder, typed)));
  return await eachPath("rm", paths, async (path) => {
    const removed = await remove(client, path, { recursive: flags.has("r") });
    if (shell.json) printJson({ path, removed });
  });
}

export async function mv({ shell, args, flags, signal }: Call): Promise<number> {
  const client = await shell.link.client(signal);
  const sources = args.slice(0, -1).map((typed) => trimSlashes(resolveRemote(shell.folder, typed)));
  const to = await targets(client, "mv", sources, resolveRemote(shell.folder, args.at(-1)!));
  return await eachPath("mv", sources, async (from) => {
    await move(client, from, to(from), flags.has("n") ? "never" : "always");
    if (shell.json) printJson({ from, to: to(from) });
  });
}

export async function cp({ shell, args, flags, signal }: Call): Promise<number> {
  const client = await shell.link.client(signal);
  const sources = args.slice(0, -1).map((typed) => trimSlashes(resolveRemote(shell.folder, typed)));
  const target = resolveRemote(shell.folder, args.at(-1)!);
  return await copyAll(client, sources, target, {
    recursive: flags.has("r"),
    noClobber: flags.has("n"),
    json: shell.json,
  });
}

export async function mkdir({ shell, args, flags, signal }: Call): Promise<number> {
  const client = await shell.link.client(signal);
  const paths = args.map((typed) => trimSlashes(resolveRemote(shell.folder, typed)));
  return await eachPath("mkdir", paths, async (path) => {
    const created = await makeFolder(client, path, flags.has("p"));
    if (shell.json) printJson({ path, created });
  });
}
