/** `barge rm`: removes files and folders at a server. */
import { dropPartial } from "../core/client/partial.ts";
import { remove } from "../core/client/remove.ts";
import { absent } from "../core/client/stat.ts";
import { BargeError } from "../core/error.ts";
import { command } from "./_term/command.ts";
import { eachPath } from "./_client/each_path.ts";
import { args, common, flag } from "./_term/options.ts";
import { printJson } from "./_term/out.ts";
import { openSession, sessionOptions } from "./_client/session.ts";

export default command({
  options: {
    paths: args("PATH", "Files, empty folders, or, with -r, any folders"),
    recursive: flag(["-r", "--recursive"], "Folders with all that is in them"),
    partial: flag(["--partial"], "Only partial uploads of yours: a file of that name stays"),
    force: flag(["-f", "--force"], "What is not there is no error"),
    ...sessionOptions,
    ...common,
  },
  usage: "PATH...",
  about: `Removes files and folders, for good. Where there is only a half-finished upload, that is
    dropped. Names are taken as they are: * and ? mean themselves. With --json, \`removed\` is how many
    files went: 0 for an empty folder.

    --partial drops what \`barge ls --partial\` lists, and gives back the room that is reserved for it.
    Whoever is sending it at that moment gets an error.`,
  examples: [
    ["barge rm /home/old.tar", "remove a file"],
    ["barge rm -r /home/photos/2019", "remove a folder and all in it"],
    ["barge rm --partial /home/big.tar", "drop an upload that nobody will go on with"],
  ],
  async run({ paths, recursive, partial, force, json, ...choice }, { signal }) {
    if (partial && recursive) {
      throw new BargeError("usage", "--partial names single uploads: it does not go with -r", {
        op: "rm",
      });
    }
    await using session = await openSession(choice, signal);
    const { client } = session;
    const run = async (path: string): Promise<number> => {
      if (!partial) return await remove(client, path, { recursive });
      await dropPartial(client, path);
      return 0;
    };
    return await eachPath("rm", paths, async (path) => {
      const removed = await run(path).catch((error) => {
        if (force && error instanceof BargeError && absent(error)) return 0;
        throw error;
      });
      if (json) printJson({ path, removed });
    });
  },
});
