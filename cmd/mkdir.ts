/** `barge mkdir`: makes folders at a server. */
import { mkdir } from "../core/client/change.ts";
import { command } from "./_term/command.ts";
import { eachPath } from "./_client/each_path.ts";
import { args, common, flag } from "./_term/options.ts";
import { printJson } from "./_term/out.ts";
import { openSession, sessionOptions } from "./_client/session.ts";

export default command({
  options: {
    paths: args("PATH", "The folders, like /home/photos"),
    parents: flag(
      ["-p", "--parents"],
      "Make missing folders above them, too; existing folders are no error",
    ),
    ...sessionOptions,
    ...common,
  },
  usage: "PATH...",
  about: `Makes folders.`,
  examples: [["barge mkdir -p /home/photos/2026", "make both folders"]],
  async run({ paths, parents, json, ...choice }, { signal }) {
    await using session = await openSession(choice, signal);
    return await eachPath("mkdir", paths, async (path) => {
      const created = await mkdir(session.client, path, { parents });
      if (json) printJson({ path, created });
    });
  },
});
