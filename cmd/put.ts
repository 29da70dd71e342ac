/** `barge put`: sends files and folders. */
import { put } from "../core/client/put.ts";
import { BargeError } from "../core/error.ts";
import { command } from "./_term/command.ts";
import { argsOf, flag, path } from "./_term/options.ts";
import { openSession } from "./_term/session.ts";
import { printTransfer, transferOptions } from "./_term/transfer.ts";

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
  about: `Sends files and folders to a server. A target that ends in / is a folder to put into; else
    it is the new name. A folder goes with its name, or, with a / at its end, as its contents, as
    rsync has it. Times are kept.

    When it exits with 0, every file is whole and on the server's disk. When it was interrupted, run
    the same command again: it goes on where it was.`,
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
      (onEvent) =>
        put(session.client, sources, paths.at(-1)!, {
          ...options,
          verify: !options.noVerify,
          onEvent,
        }),
    );
  },
});
