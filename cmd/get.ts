/** `barge get`: fetches files and folders. */
import { get } from "../core/client/get.ts";
import { isStandardOutput } from "../core/client/download/local_target.ts";
import { BargeError } from "../core/error.ts";
import { command } from "./_term/command.ts";
import { argsOf, flag, path } from "./_term/options.ts";
import { stdoutBytes } from "./_term/out.ts";
import { openSession } from "./_term/session.ts";
import { printTransfer, transferOptions } from "./_term/transfer.ts";

export default command({
  options: {
    paths: argsOf(
      path("PATH"),
      "Remote files and folders; last, if there are two or more, where to",
    ),
    requireDigest: flag(
      ["--require-digest"],
      "Fail with 13 for a file without a stored digest, because it was changed outside barge",
    ),
    ...transferOptions,
  },
  usage: "SRC... [LOCAL]",
  about: `Fetches files and folders from a server. With one argument they come into the current
    folder; with more, the last one says where to: - for standard output, else a folder that is
    there, or ends in /, to put into, else the new name. A folder always comes into the target, with
    its name, or, with a / at its end, as its contents, as rsync has it.

    A file is written beside its name, checked by SHA-256, and only then takes the name. When it was
    interrupted, run the same command again: it goes on where it was. A file that was changed at the
    server outside barge has no digest to be checked with: that is said, and --json has
    "verified":false; --require-digest makes it a failure.

    A file replaces the one at the end of a symbolic link, as cp has it; devices, FIFOs and names
    like /dev/stdout are written to. With -r nothing is written through links below the target: with
    --delete they make way, without it their names fail with 14. So does a folder that is a file
    here, or a file that is a folder. --delete never removes what --exclude names.`,
  examples: [
    ["barge get /home/backup.tar", "fetch a file into the current folder"],
    ["barge get -r /home/photos/ ~/photos", "fetch what is in a folder"],
    ["barge get /home/src.tar - | tar x", "hand a file to a program"],
  ],
  async run(options, { signal }) {
    const { paths, json } = options;
    const sources = paths.length > 1 ? paths.slice(0, -1) : paths;
    const target = paths.length > 1 ? paths.at(-1)! : ".";
    if (json && isStandardOutput(target)) {
      throw new BargeError("usage", "standard output can't be both the file and the JSON", {
        op: "get",
      });
    }
    await using session = await openSession(options, signal);
    return await printTransfer(
      "get",
      options,
      (onEvent, ready) =>
        get(session.client, sources, target, {
          ...options,
          verify: !options.noVerify,
          onEvent,
          ready,
          output: stdoutBytes,
        }),
    );
  },
});
