/** `barge ls`: lists files at a server. */
import { list } from "../core/client/list.ts";
import { partials } from "../core/client/partial.ts";
import { stat } from "../core/client/stat.ts";
import { join, trimSlashes } from "../core/client/path.ts";
import type { Omission, PartialUpload } from "../core/protocol/message.ts";
import { command } from "./_term/command.ts";
import { entryFields, longLine, noteOmission, shownName } from "./_term/entry.ts";
import { common, flag, optionalArgument } from "./_term/options.ts";
import { keepUp, printJson, printLine, terminal } from "./_term/out.ts";
import { openSession, sessionOptions } from "./_term/session.ts";

export default command({
  options: {
    path: optionalArgument("PATH", "A folder or file. Default: /home"),
    long: flag(["-l", "--long"], "Show size, time (UTC) and owner, too"),
    recursive: flag(["-r", "--recursive"], "Show what folders hold, too"),
    partial: flag(
      ["--partial"],
      "List your partial uploads, wherever they are, or those below PATH",
    ),
    ...sessionOptions,
    ...common,
  },
  usage: "[PATH]",
  about: `Lists a folder, one name a line; folders end in a slash. Yours are in /home, those that
    everyone shares in /public. What could confuse a terminal is escaped when one reads it, and what
    ends a line always is; --json has names as they are.

    --partial lists uploads of yours that are no files yet: how many bytes are there, of how many
    (? where that is not known), when each is dropped if nobody goes on with it, or that somebody is
    sending it now, and its path. The same \`barge put\` goes on with one; \`barge rm --partial\` drops it.`,
  examples: [
    ["barge ls -l /public", "what is shared"],
    ["barge ls --partial", "what quota counts as reserved for uploads"],
    ["barge ls -r --json /home | jq -r 'select(.size > 1e9) .path'", "large files"],
  ],
  async run({ path: given, long, recursive, partial, json, ...choice }, { signal }) {
    await using session = await openSession(choice, signal);
    const { client } = session;
    if (partial) return printPartials(await partials(client), trimSlashes(given ?? "/"), json);
    const folder = given ?? "/home";
    const path = trimSlashes(folder);
    const { entry } = await stat(client, path);
    const single = entry?.type === "file";
    const onOmitted = (omission: Omission) => noteOmission(path, omission);
    for await (const entry of list(client, path, { recursive, onOmitted })) {
      signal.throwIfAborted();
      const behind = keepUp(signal);
      if (behind) await behind;
      if (json) {
        printJson(entryFields(single ? path : join(path, entry.name), entry));
        continue;
      }
      const name = shownName(entry, single ? path : entry.name, terminal.stdout);
      printLine(long ? longLine(entry, name) : name);
    }
  },
});

/** Prints those at or below a path. */
function printPartials(all: readonly PartialUpload[], below: string, json: boolean): void {
  for (const upload of all) {
    const { path, offset, size, busy, expires } = upload;
    if (below !== "/" && path !== below && !path.startsWith(`${below}/`)) continue;
    if (json) {
      printJson({ path, offset, size, busy, expires });
      continue;
    }
    const until = busy ? "under way" : expires.slice(0, 16).replace("T", " ");
    printLine(
      `${String(offset).padStart(13)} of ${String(size ?? "?").padEnd(13)}  ${
        until.padEnd(16)
      }  ${path}`,
    );
  }
}
