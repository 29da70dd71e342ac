/** `barge rm`: removes files and folders at a server. */
import { remove } from "../core/client/remove.ts";
import { absent } from "../core/client/stat.ts";
import { BargeError } from "../core/error.ts";
import { command } from "./_term/command.ts";
import { eachPath } from "./_term/each.ts";
import { args, common, flag } from "./_term/options.ts";
import { printJson } from "./_term/out.ts";
import { openSession, sessionOptions } from "./_term/session.ts";

export default command({
  options: {
    paths: args("PATH", "Files, empty folders, or, with -r, any folders"),
    recursive: flag(["-r", "--recursive"], "Folders with all that is in them"),
    force: flag(["-f", "--force"], "What is not there is no error"),
    ...sessionOptions,
    ...common,
  },
  usage: "PATH...",
  about: `Removes files and folders, for good. Where there is only a half-finished upload, that is
    dropped. Names are taken as they are: * and ? mean themselves. With --json, \`removed\` is how many
    files went: 0 for an empty folder.`,
  examples: [
    ["barge rm /home/old.tar", "remove a file"],
    ["barge rm -r /home/photos/2019", "remove a folder and all in it"],
  ],
  async run({ paths, recursive, force, json, ...choice }, { signal }) {
    await using session = await openSession(choice, signal);
    return await eachPath("rm", paths, async (path) => {
      const removed = await remove(session.client, path, { recursive }).catch((error) => {
        if (force && error instanceof BargeError && absent(error)) return 0;
        throw error;
      });
      if (json) printJson({ path, removed });
    });
  },
});
