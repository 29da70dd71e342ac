/** `barge sum`: prints the digests of a server's files. */
import { digest } from "../../core/client/digest.ts";
import { baseName, meansContents } from "../../core/client/path.ts";
import { stat } from "../../core/client/stat.ts";
import { BargeError } from "../../core/error.ts";
import { printable, sumLine } from "../../core/protocol/printable.ts";
import { args, flag } from "../_term/command.ts";
import { choiceOptions, readFilter } from "../_client/filters.ts";
import { eachPath } from "../_client/each_path.ts";
import { found } from "./found.ts";
import { sessionCommand } from "../_client/session.ts";
import { print, printJson, terminal } from "../_term/out.ts";

export default sessionCommand({
  options: {
    paths: args("PATH", "Files, or with -r folders"),
    recursive: flag("Go through folders", "-r"),
    ...choiceOptions,
  },
  about: `Prints the SHA-256 that the server stored when each file was written, in the form that
    sha256sum -c reads. Names are those that \`barge get\` gives the files here: /home/photos has names
    like photos/1.jpg, and /home/photos/ names like 1.jpg. The server computes the digest of a file
    that was changed on its disk.`,
  examples: [
    [
      "barge sum -r /home/photos | sha256sum -c",
      "compare the files here with the server's digests",
    ],
    ["barge sum /home/a.tar", "print one digest"],
  ],
  async run(options, { client }, { signal }) {
    const { paths: named, recursive, json } = options;
    const filter = await readFilter(options);
    let index = 0;
    return await eachPath("sum", named, async (path) => {
      const source = named[index++];
      const { entry } = await stat(client, path);
      const isFolder = entry?.type === "dir";
      if (isFolder && !recursive) throw new BargeError("usage", "is a folder", { hint: "use -r" });
      const root = isFolder && !meansContents(source) ? `${baseName(path)}/` : "";
      const files = await Array.fromAsync(found(client, path, filter, signal));
      for (const { path, entry } of files) {
        if (entry.type === "dir") continue;
        const sha256 = entry.sha256 ?? (await digest(client, path)).digest;
        const name = isFolder ? root + entry.name : baseName(path);
        if (json) printJson({ path, name, sha256, size: entry.size });
        else print(terminal.stdout ? printable(sumLine(sha256, name)) : sumLine(sha256, name));
      }
    });
  },
});
