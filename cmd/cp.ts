/** `barge cp`: copies at a server, where no byte crosses the wire. */
import { command } from "./_term/command.ts";
import { copyAll } from "./_client/copy_all.ts";
import { args, common, flag } from "./_term/options.ts";
import { openSession, sessionOptions } from "./_client/session.ts";

export default command({
  options: {
    paths: args("PATH", "Remote files and folders; last, their new name or folder", 2),
    recursive: flag(["-r", "--recursive"], "Folders with all that is in them"),
    noClobber: flag(["--no-clobber"], "Fail rather than replace a file"),
    ...sessionOptions,
    ...common,
  },
  usage: "SRC... DEST",
  about: `Copies files and folders at the server. A copy is charged to you like any other file, also
    one of what somebody else has in /public.

    A target that is a folder, or ends in /, is one to put into; else it is the new name. Names are
    taken as they are: * and ? mean themselves.`,
  examples: [
    ["barge cp /public/plan.pdf /home/", "keep a copy of your own"],
    ["barge cp -r /home/site /public/", "publish a folder"],
  ],
  async run({ paths, recursive, noClobber, json, ...choice }, { signal }) {
    await using session = await openSession(choice, signal);
    const options = { recursive, noClobber, json };
    return await copyAll(session.client, paths.slice(0, -1), paths.at(-1)!, options);
  },
});
