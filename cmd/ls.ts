/** `barge ls`: lists files at a server. */
import { list } from "../core/client/list.ts";
import { stat } from "../core/client/stat.ts";
import { join, trimSlashes } from "../core/client/target.ts";
import type { Omission } from "../core/protocol/message.ts";
import { command } from "./_term/command.ts";
import { entryFields, longLine, noteOmission, shownName } from "./_term/entry.ts";
import { common, flag, optionalArgument } from "./_term/options.ts";
import { keepUp, print, printJson, terminal } from "./_term/out.ts";
import { openSession, sessionOptions } from "./_term/session.ts";

export default command({
  options: {
    path: optionalArgument("PATH", "A folder or file. Default: /home"),
    long: flag(["-l", "--long"], "Show size, time (UTC) and owner, too"),
    recursive: flag(["-r", "--recursive"], "Show what folders hold, too"),
    ...sessionOptions,
    ...common,
  },
  usage: "[PATH]",
  about: `Lists a folder, one name a line; folders end in a slash. Yours are in /home, those that
    everyone shares in /public. What could confuse a terminal is escaped when one reads it.`,
  examples: [
    ["barge ls -l /public", "what is shared"],
    ["barge ls -r --json /home | jq -r 'select(.size > 1e9) .path'", "large files"],
  ],
  async run({ path: folder = "/home", long, recursive, json, ...choice }, { signal }) {
    await using session = await openSession(choice, signal);
    const { client } = session;
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
      print(long ? longLine(entry, name) : name);
    }
  },
});
