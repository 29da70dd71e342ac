/** `barge cp`: copies files and folders at a server. */
import { args, flag } from "./_term/command.ts";
import { copyAll } from "./_client/copy_all.ts";
import { sessionCommand } from "./_client/session.ts";

export default sessionCommand({
  options: {
    paths: args("PATH", "Remote files and folders; the last is their new name or folder", 2),
    recursive: flag("Copy folders with their contents", "-r"),
    noClobber: flag("Fail instead of replacing a file"),
    dryRun: flag("Print the copies without making them", "-n"),
  },
  usage: "SRC... DEST",
  about: `Copies files and folders at the server. A copy is charged to you like any other file, even
    if the original is another account's.

    A target that is a folder, or ends in /, is the folder to copy into; any other is the new name.
    * and ? have no special meaning in names.`,
  examples: [
    ["barge cp /public/plan.pdf /home/", "make a copy of your own"],
    ["barge cp -r /home/site /public/", "publish a folder"],
  ],
  async run({ paths, ...options }, { client }) {
    return await copyAll(client, paths.slice(0, -1), paths.at(-1)!, options);
  },
});
