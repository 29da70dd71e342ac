/** `barge put`: sends files and folders. */
import { put } from "../core/client/put.ts";
import { BargeError } from "../core/error.ts";
import { command } from "./_term/command.ts";
import { argsOf, flag } from "./_term/options.ts";
import { path } from "./_term/value.ts";
import { openSession } from "./_client/session.ts";
import { printTransfer, transferOptions } from "./_client/transfer.ts";

export default command({
  options: {
    paths: argsOf(
      path("PATH"),
      "Local files and folders, or - for standard input; last, where to",
      2,
    ),
    follow: flag(
      ["-L", "--follow"],
      "Send what symbolic links lead to, instead of leaving them out",
    ),
    ...transferOptions,
  },
  usage: "SRC... DEST",
  about:
    `Sends files and folders to a server. For a file, a target that ends in / is a folder to put
    into; else it is the new name, and a folder that has it is an error (14). A folder always goes
    into the target, with its name, or, with a / at its end, as its contents, as rsync has it. Times
    are kept. Remote names are taken as they are: * and ? mean themselves.

    When it exits with 0, every file is whole and on the server's disk. When it was interrupted, run
    the same command again: it goes on where it was.

    With -r, symbolic links and parts of interrupted downloads (.NAME.DIGEST.part) are left out. A
    folder that is a file at the server, or a file that is a folder, fails with 14; with --delete it
    makes way, unless --exclude protects something in it. Two sources of one name are refused.`,
  examples: [
    ["barge put backup.tar /home/", "send a file"],
    ["barge put -r photos /home/", "send a folder to /home/photos"],
    ["barge put -r --update --delete site/ /public/site", "make /public/site the same as site"],
    ["tar c src | barge put - /home/src.tar", "send what a program writes"],
  ],
  async run(options, { signal }) {
    const { paths, passwordStdin } = options;
    const sources = paths.slice(0, -1);
    if (passwordStdin && sources.includes("-")) {
      throw new BargeError("usage", "standard input can't be both the password and the file", {
        op: "put",
        hint: "use --password-file or BARGE_PASSWORD",
      });
    }
    await using session = await openSession(options, signal);
    return await printTransfer(
      "put",
      options,
      (onEvent, ready) =>
        put(session.client, sources, paths.at(-1)!, {
          ...options,
          verify: !options.noVerify,
          onEvent,
          ready,
        }),
    );
  },
});
