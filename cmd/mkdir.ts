/** `barge mkdir`: makes folders at a server. */
import { args, flag } from "./_term/command.ts";
import { eachPath } from "./_client/each_path.ts";
import { makeFolder } from "./_client/make_folder.ts";
import { printJson } from "./_term/out.ts";
import { sessionCommand } from "./_client/session.ts";

export default sessionCommand({
  options: {
    paths: args("PATH", "The folders, like /home/photos"),
    parents: flag("Make missing folders above them, too; existing folders are no error", "-p"),
  },
  about: `Makes folders.`,
  examples: [["barge mkdir -p /home/photos/2026", "make both folders"]],
  async run({ paths, parents, json }, { client }) {
    return await eachPath("mkdir", paths, async (path) => {
      const created = await makeFolder(client, path, parents);
      if (json) printJson({ path, created });
    });
  },
});
