/** `barge ls`: lists files at a server. */
import { partials } from "../core/client/partial.ts";
import { trimSlashes } from "../core/client/path.ts";
import type { PartialUpload } from "../core/protocol/message.ts";
import { flag, optionalArgument } from "./_term/command.ts";
import { printList } from "./_client/list.ts";
import { printJson, printLine } from "./_term/out.ts";
import { minute } from "./_term/table.ts";
import { sessionCommand } from "./_client/session.ts";

export default sessionCommand({
  options: {
    path: optionalArgument("PATH", "A folder or file. Default: /home"),
    long: flag("Show size, time (UTC) and owner", "-l"),
    recursive: flag("Show the contents of folders, too", "-r"),
    partial: flag("List your partial uploads: all of them, or those below PATH"),
  },
  about: `Lists a folder, one name a line; folders end in a slash. Your files are in /home, shared
    files in /public. Line ends in names are escaped, and on a terminal all control characters;
    --json has names unchanged.

    --partial lists your partial uploads: the offset, the size (? if unknown), the time at which each
    is dropped, or "under way" while a client sends it, and the path. To resume an upload, repeat
    its \`barge put\`; to drop it, use \`barge rm --partial\`.`,
  examples: [
    ["barge ls -l /public", "list the shared files"],
    ["barge ls --partial", "list the uploads that reserve bytes"],
    ["barge ls -r --json /home | jq -r 'select(.size > 1e9) .path'", "list large files"],
  ],
  async run({ path: named, long, recursive, partial, json }, { client }, { signal }) {
    if (partial) return printPartials(await partials(client), trimSlashes(named ?? "/"), json);
    await printList(client, named ?? "/home", { recursive, long, json, signal });
  },
});

/** Prints the partial uploads at or below a path. */
function printPartials(all: readonly PartialUpload[], below: string, json: boolean): void {
  for (const { path, offset, size, busy, expires } of all) {
    if (below !== "/" && path !== below && !path.startsWith(`${below}/`)) continue;
    const received = `${String(offset).padStart(13)} of ${String(size ?? "?").padEnd(13)}`;
    const until = (busy ? "under way" : minute(expires)).padEnd(16);
    if (json) printJson({ path, offset, size, busy, expires });
    else printLine(`${received}  ${until}  ${path}`);
  }
}
