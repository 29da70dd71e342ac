/** `barge mv`: moves and renames files and folders at a server. */
import { move } from "../core/client/change.ts";
import type { Client } from "../core/client/client.ts";
import { stat } from "../core/client/stat.ts";
import { BargeError } from "../core/error.ts";
import { args, flag } from "./_term/command.ts";
import { checkChangeable } from "./_client/built_in.ts";
import { eachPath } from "./_client/each_path.ts";
import { printJson, printLine } from "./_term/out.ts";
import { sessionCommand } from "./_client/session.ts";
import { checkFree, isWithin, targets } from "./_client/move_target.ts";

export default sessionCommand({
  options: {
    paths: args("PATH", "Remote files and folders; the last is their new name or folder", 2),
    noClobber: flag("Fail instead of replacing a file"),
    dryRun: flag("Print the moves without making them", "-n"),
  },
  usage: "SRC... DEST",
  about: `Moves files and folders, each in one step. Files that you move to /public are visible to
    everyone and stay charged to you.

    A target that is a folder, or ends in /, is the folder to move into; any other is the new name.
    * and ? have no special meaning in names.`,
  examples: [
    ["barge mv /home/a.txt /home/b.txt", "rename a file"],
  ],
  async run({ paths, noClobber, dryRun, json }, { client }) {
    const sources = paths.slice(0, -1);
    const to = await targets(client, "mv", sources, paths.at(-1)!);
    return await eachPath("mv", sources, async (from) => {
      if (dryRun) await checkMove(client, from, to(from), noClobber);
      else await move(client, from, to(from), noClobber ? "never" : "always");
      if (json) printJson({ from, to: to(from), ...dryRun ? { dryRun } : {} });
      else if (dryRun) printLine(`move ${from} -> ${to(from)}`);
    });
  },
});

/** Checks a move for a dry run. @throws {BargeError} why it would fail */
async function checkMove(client: Client, from: string, to: string, noClobber: boolean) {
  const { entry } = await stat(client, from);
  checkChangeable(from);
  if (entry?.type === "dir" && isWithin(to, from)) {
    throw new BargeError("usage", "a folder can't be moved into itself", { path: from });
  }
  await checkFree(client, to, noClobber);
}
