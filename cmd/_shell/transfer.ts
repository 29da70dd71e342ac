/** The shell's `get`, `put` and `cat`. */
import { get as getAll } from "../../core/client/get.ts";
import { put as putAll } from "../../core/client/put.ts";
import { entryAt } from "../../core/client/stat.ts";
import { trimSlashes } from "../../core/client/path.ts";
import { BargeError } from "../../core/error.ts";
import { printTransfer } from "../_client/transfer.ts";
import { checkOutput } from "../get.ts";
import { expandHome, resolveRemote } from "./paths.ts";
import type { Call } from "./command.ts";

export async function get({ shell, args, flags, signal }: Call): Promise<number> {
  const [typed, local = "."] = args;
  checkOutput(expandHome(local), shell.json);
  const client = await shell.link.client(signal);
  const source = resolveRemote(shell.folder, typed);
  return await printTransfer(
    "get",
    { json: shell.json },
    (display) => getAll(client, [source], expandHome(local), { ...chosen(flags), ...display }),
  );
}

export async function cat(call: Call): Promise<number> {
  return await get({ ...call, args: [call.args[0], "-"], flags: new Set() });
}

export async function put({ shell, args, flags, signal }: Call): Promise<number> {
  const [local, typed] = args;
  if (local === "-") {
    throw new BargeError("usage", "standard input holds the commands, not a file", {
      op: "put",
      hint: "use `barge put - /home/NAME`",
    });
  }
  const client = await shell.link.client(signal);
  let target = resolveRemote(shell.folder, typed ?? "./");
  if (!target.endsWith("/")) {
    const isFolder = (await entryAt(client, trimSlashes(target)))?.type === "dir";
    if (isFolder) target += "/";
  }
  return await printTransfer(
    "put",
    { json: shell.json },
    (display) => putAll(client, [expandHome(local)], target, { ...chosen(flags), ...display }),
  );
}

function chosen(flags: ReadonlySet<string>) {
  return { recursive: flags.has("r"), update: flags.has("u") };
}
