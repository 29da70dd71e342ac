/** `barge get`: fetches files and folders. */
import { get } from "../core/client/get.ts";
import { isStandardOutput } from "../core/client/download/local_target.ts";
import { BargeError } from "../core/error.ts";
import { command } from "./_term/command.ts";
import { argsOf, flag } from "./_term/options.ts";
import { stdoutBytes } from "./_term/out.ts";
import { path } from "./_term/value.ts";
import { openSession } from "./_client/session.ts";
import { printTransfer, transferOptions } from "./_client/transfer.ts";

export default command({
  options: {
    paths: argsOf(
      path("PATH"),
      "Remote files and folders; the last of two or more is the target",
    ),
    requireDigest: flag(
      ["--require-digest"],
      "Fail with 13 for a file without a stored digest, which was changed outside barge",
    ),
    ...transferOptions,
  },
  usage: "SRC... [LOCAL]",
  about: `Fetches files and folders from a server. The target of a single argument is the current
    folder; else the last argument is the target: - for standard output, an existing folder or a path
    that ends in / for a folder to put into, or the new name. A folder always goes into the target:
    with its name, or, as in rsync, only its contents if its path ends in /.

    A file is written beside its name, checked by SHA-256, and then renamed. After an interruption,
    run the same command again: it resumes. A file that was changed at the server outside barge has
    no digest to check: this is reported, and --json has "verified":false; --require-digest makes it
    a failure.

    As with cp, a file replaces the target of a symbolic link; devices, FIFOs and names like
    /dev/stdout are written to. With -r nothing is written through links below the target: with
    --delete they are removed first, without it their names fail with 14. The same holds for a folder
    that is a file here, and a file that is a folder. --delete never removes names that --exclude
    matches.`,
  examples: [
    ["barge get /home/backup.tar", "fetch a file into the current folder"],
    ["barge get -r /home/photos/ ~/photos", "fetch the contents of a folder"],
    ["barge get /home/src.tar - | tar x", "pass a file to a program"],
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
