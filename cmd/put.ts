/** `barge put`: sends files and folders. */
import { BargeError } from "../core/error.ts";
import { args, flag } from "./_term/command.ts";
import { path } from "./_term/value.ts";
import { sessionCommand } from "./_client/session.ts";
import { checkFilter, readFilter } from "./_client/filters.ts";
import { inAttempts } from "./_client/attempts.ts";
import { printTransfer, transferOptions } from "./_client/transfer.ts";

export default sessionCommand({
  options: {
    paths: args(
      path("PATH"),
      "Local files and folders, or - for standard input; the last is the target",
      2,
    ),
    follow: flag("Send the targets of symbolic links; by default links are left out", "-L"),
    ...transferOptions,
  },
  usage: "SRC... DEST",
  about:
    `Sends files and folders to a server. For a file, a target that ends in / is a folder to put
    it into; any other target is the new name, and an existing folder of that name is an error
    (exit code 14). A folder always goes into the target: with its name, or, as in rsync, only its
    contents if its path ends in /. Modification times are kept. * and ? have no special meaning in
    remote names.

    Exit code 0 means that every file is complete and on the server's disk. After an interruption,
    run the same command again: it resumes.

    With -r, symbolic links and partial downloads (.NAME.DIGEST.part) are left out. A folder that is
    a file at the server, or a file that is a folder, fails with exit code 14; with --delete the
    remote one is removed first, unless a filter protects something in it. Two sources of one name
    are refused.

    A filter leaves names out on both sides: they are neither sent nor removed by --delete. A file
    .bargeignore in a folder leaves out names below it by the rules of .gitignore.`,
  examples: [
    ["barge put backup.tar /home/", "send a file"],
    ["barge put -r photos /home/", "send a folder to /home/photos"],
    ["barge put -r --update --delete site/ /public/site", "make /public/site equal to site"],
    ["tar c src | barge put - /home/src.tar", "send the output of a program"],
  ],
  check(options) {
    const { passwordStdin } = options;
    const sources = options.paths.slice(0, -1);
    const isFile = sources.includes("-");
    checkFilter(options, sources, isFile ? "a file" : passwordStdin ? "the password" : undefined);
    if (!passwordStdin || !isFile) return;
    throw new BargeError("usage", "standard input can't be both the password and a file", {
      op: "put",
      hint: "use --password-file or BARGE_PASSWORD",
    });
  },
  async ahead() {
    await import("../core/client/put.ts");
    return [];
  },
  async run(options, session) {
    const { put } = await import("../core/client/put.ts");
    const sources = options.paths.slice(0, -1);
    const filter = await readFilter(options, sources[0]);
    const repeatable = !sources.includes("-");
    const transfer = inAttempts(
      session,
      { ...options, repeatable },
      (client, attempt) =>
        put(client, sources, options.paths.at(-1)!, {
          ...options,
          ...filter,
          ignoreFiles: !options.noIgnore,
          verify: !options.noVerify,
          ...attempt,
        }),
    );
    return await printTransfer("put", options, transfer);
  },
});
