/** `barge rm`: removes files and folders at a server. */
import { dropPartial } from "../core/client/partial.ts";
import { remove } from "../core/client/change.ts";
import { isNotFound } from "../core/client/stat.ts";
import { BargeError } from "../core/error.ts";
import { args, flag } from "./_term/command.ts";
import { eachPath } from "./_client/each_path.ts";
import { printJson } from "./_term/out.ts";
import { sessionCommand } from "./_client/session.ts";

export default sessionCommand({
  options: {
    paths: args("PATH", "Files, empty folders, or any folders with -r"),
    recursive: flag("Remove folders with their contents", "-r"),
    partial: flag("Drop your partial uploads of that name, and keep the file"),
    force: flag("Ignore missing files", "-f"),
  },
  about: `Removes files and folders for good. If a path has a partial upload but no file,
    the partial upload is dropped.
    * and ? have no special meaning in names. With --json, \`removed\` is the number of removed files,
    0 for an empty folder.

    --partial drops partial uploads, which \`barge ls --partial\` lists, and frees their reserved
    bytes. A client that is sending one of them gets an error.`,
  examples: [
    ["barge rm /home/old.tar", "remove a file"],
    ["barge rm -r /home/photos/2019", "remove a folder and its contents"],
    ["barge rm --partial /home/big.tar", "drop an upload that nobody will resume"],
  ],
  check({ recursive, partial }) {
    if (!partial || !recursive) return;
    throw new BargeError("usage", "--partial and -r exclude each other", { op: "rm" });
  },
  async run({ paths, recursive, partial, force, json }, { client }) {
    const run = async (path: string): Promise<number> => {
      if (!partial) return await remove(client, path, { recursive });
      await dropPartial(client, path);
      return 0;
    };
    return await eachPath("rm", paths, async (path) => {
      const removed = await run(path).catch((error) => {
        if (force && error instanceof BargeError && isNotFound(error)) return 0;
        throw error;
      });
      if (json) printJson({ path, removed });
    });
  },
});
