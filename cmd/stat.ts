/** `barge stat`: what is known of a file or folder. */
import { object } from "@optique/core/constructs";
import { command } from "./_term/command.ts";
import { eachPath } from "./_term/each.ts";
import { entryFields } from "./_term/entry.ts";
import { args, common } from "./_term/options.ts";
import { print, printJson, terminal } from "./_term/out.ts";
import { openSession, sessionOptions } from "./_term/session.ts";
import { printable } from "./_term/text.ts";

export default command({
  options: object({
    paths: args("PATH", "Files or folders, like /home/a.txt"),
    ...sessionOptions,
    ...common,
  }),
  usage: "PATH...",
  about: `Shows what is known of a file or folder: type, size, time, who is charged for it, and its
    SHA-256, the same that \`sha256sum\` prints. Also shows how much of a half-finished upload is
    there already.`,
  examples: [["barge stat /home/a.txt --json | jq -r .sha256", "the digest of a file"]],
  async run({ paths, json, ...choice }, { signal }) {
    await using session = await openSession(choice, signal);
    const { stat } = await import("../core/client/stat.ts");
    return await eachPath("stat", paths, async (path) => {
      const { entry, upload } = await stat(session.client, path);
      if (json) {
        printJson({ path, ...(entry ? entryFields(path, entry) : noEntry), upload });
        return;
      }
      print(terminal.stdout ? printable(path) : path);
      if (entry) {
        print(`  type      ${entry.type}`);
        if (entry.type === "file") print(`  size      ${entry.size}`);
        print(`  modified  ${entry.modified}`);
        if (entry.owner !== null) print(`  owner     ${entry.owner}`);
        if (entry.sha256 !== null) print(`  sha256    ${entry.sha256}`);
      }
      if (upload) print(`  upload    ${upload.offset} of ${upload.size ?? "?"} bytes are here`);
    });
  },
});

const noEntry = { name: null, type: null, size: null, modified: null, owner: null, sha256: null };
