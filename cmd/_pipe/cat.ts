/** `barge cat`: prints files of a server. */
import { get } from "../../core/client/get.ts";
import { BargeError } from "../../core/error.ts";
import { args } from "../_term/command.ts";
import { eachPath } from "../_client/each_path.ts";
import { sessionCommand } from "../_client/session.ts";
import { stdoutBytes } from "../_term/out.ts";

export default sessionCommand({
  options: {
    paths: args("PATH", "Files, like /home/a.txt"),
  },
  about:
    `Prints the bytes of files on standard output, one file after the other. They are compared with
    their digest: a difference ends with exit code 13, after the bytes were printed.`,
  examples: [
    ["barge cat /home/notes.txt | less", "read a file"],
    ["barge cat /home/a.log /home/b.log | grep -c error", "search several files"],
  ],
  check({ json }) {
    if (!json) return;
    throw new BargeError("usage", "--json and the bytes can't share standard output", {
      op: "cat",
    });
  },
  async run({ paths }, { client }) {
    return await eachPath("cat", paths, async (path) => {
      const { error } = await get(client, [path], "-", { output: stdoutBytes });
      client.throwIfInterrupted();
      if (error) throw withoutOptions(error);
    });
  },
});

/** Returns a failure of `get` without hints at options that `cat` does not have. */
function withoutOptions(error: BargeError): BargeError {
  const { kind, hint } = error;
  const isFolder = hint === "use -r";
  const own = isFolder
    ? "`barge ls` lists it, `barge get -r` downloads it"
    : kind === "usage" || kind === "unavailable"
    ? undefined
    : hint;
  return error.replacing({ op: "cat", hint: own });
}
