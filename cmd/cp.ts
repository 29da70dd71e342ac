/** `barge cp`: copies files and folders at a server. */
import { command } from "./_term/command.ts";
import { copyAll } from "./_client/copy_all.ts";
import { args, common, flag } from "./_term/options.ts";
import { openSession, sessionOptions } from "./_client/session.ts";

export default command({
  options: {
    paths: args("PATH", "Remote files and folders; the last is their new name or folder", 2),
    recursive: flag(["-r", "--recursive"], "Copy folders with their contents"),
    noClobber: flag(["--no-clobber"], "Fail instead of replacing a file"),
    ...sessionOptions,
    ...common,
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
  async run({ paths, recursive, noClobber, json, ...choice }, { signal }) {
    await using session = await openSession(choice, signal);
    const options = { recursive, noClobber, json };
    return await copyAll(session.client, paths.slice(0, -1), paths.at(-1)!, options);
  },
});
