/** `barge stat`: shows the size, time, owner and digest of a file or folder. */
import { trimSlashes } from "../core/client/path.ts";
import { stat } from "../core/client/stat.ts";
import { args } from "./_term/command.ts";
import { eachPath } from "./_client/each_path.ts";
import { printStat } from "./_client/entry.ts";
import { sessionCommand } from "./_client/session.ts";

export default sessionCommand({
  options: {
    paths: args("PATH", "Files or folders, like /home/a.txt"),
  },
  about: `Shows type, size, time, owner and SHA-256 of a file or folder; the owner is the account
    that is charged for it. Also shows the offset of a partial upload.`,
  examples: [["barge stat /home/a.txt --json | jq -r .sha256", "print the digest of a file"]],
  ahead: ({ paths }) => paths.map((path) => ({ verb: "stat", path: trimSlashes(path) })),
  async run({ paths, json }, { client }) {
    return await eachPath("stat", paths, async (path) => {
      printStat(path, await stat(client, path), json);
    });
  },
});
