/** `barge get`: fetches files and folders. */
import { get } from "../core/client/get.ts";
import { BargeError } from "../core/error.ts";
import { command } from "./_term/command.ts";
import { argsOf, path } from "./_term/options.ts";
import { stdoutBytes } from "./_term/out.ts";
import { openSession } from "./_term/session.ts";
import { printTransfer, transferOptions } from "./_term/transfer.ts";

export default command({
  options: {
    paths: argsOf(
      path("PATH"),
      "Remote files and folders; last, if there are two or more, where to",
    ),
    ...transferOptions,
  },
  usage: "SRC... [LOCAL]",
  about: `Fetches files and folders from a server. With one argument they come into the current
    folder; with more, the last one says where to: a folder, a new name, or - for standard output.
    A folder comes with its name, or, with a / at its end, as its contents, as rsync has it.

    A file is written beside its name, checked by SHA-256, and only then takes the name. When it was
    interrupted, run the same command again: it goes on where it was.`,
  examples: [
    ["barge get /home/backup.tar", "fetch a file into the current folder"],
    ["barge get -r /home/photos/ ~/photos", "fetch what is in a folder"],
    ["barge get /home/src.tar - | tar x", "hand a file to a program"],
  ],
  async run(options, { signal }) {
    const { paths, json } = options;
    const sources = paths.length > 1 ? paths.slice(0, -1) : paths;
    const target = paths.length > 1 ? paths.at(-1)! : ".";
    if (json && target === "-") {
      throw new BargeError("usage", "standard output can't be both the file and the JSON", {
        op: "get",
      });
    }
    await using session = await openSession(options, signal);
    return await printTransfer(
      "get",
      options,
      (onEvent) =>
        get(session.client, sources, target, {
          ...options,
          verify: !options.noVerify,
          onEvent,
          output: stdoutBytes,
        }),
    );
  },
});
