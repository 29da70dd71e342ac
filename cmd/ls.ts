/** `barge ls`: lists files at a server. */
import { partials } from "../core/client/partial.ts";
import { trimSlashes } from "../core/client/path.ts";
import { BargeError } from "../core/error.ts";
import type { PartialUpload } from "../core/protocol/message.ts";
import { flag, optionalArgument, value } from "./_term/command.ts";
import { checkFilter, filterOptions, isFiltered, readFilter } from "./_client/filters.ts";
import { printList } from "./_client/list.ts";
import { printJson, printLine } from "./_term/out.ts";
import { minute } from "./_term/table.ts";
import { oneOf, plain } from "./_term/value.ts";
import { sessionCommand } from "./_client/session.ts";

export default sessionCommand({
  options: {
    path: optionalArgument("PATH", "A folder or file. Default: /home"),
    long: flag("Show size, time (Z is UTC) and owner", "-l"),
    recursive: flag("Show the contents of folders, too", "-r"),
    sort: value(
      oneOf("size", "time", "name"),
      "Sort all entries together: the largest first, the newest first, or by name",
    ),
    reverse: flag("Reverse the order"),
    format: value(
      plain("FORMAT"),
      "Print lines like '{size}\\t{path}'; the fields are those of --json",
    ),
    ...filterOptions,
    partial: flag("List your partial uploads: all of them, or those below PATH"),
  },
  about: `Lists a folder, one name a line; folders end in a slash. Your files are in /home, shared
    files in /public. Line ends in names are escaped, and on a terminal all control characters;
    --json has names unchanged. A filter chooses among the entries; -r goes through the folders.

    --partial lists your partial uploads: the offset, the size (? if unknown), the time at which each
    is dropped, or "under way" while a client sends it, and the path. To resume an upload, repeat
    its \`barge put\`; to drop it, use \`barge rm --partial\`.`,
  examples: [
    ["barge ls -l /public", "list the shared files"],
    ["barge ls -r --sort size --format '{size}\\t{path}' | head", "list the largest files"],
    ["barge ls --partial", "list the uploads that reserve bytes"],
    ["barge ls -r --json /home | jq -r 'select(.size > 1e9) .path'", "list large files"],
  ],
  check(options) {
    checkFilter(options, [], options.passwordStdin ? "the password" : undefined);
    if (options.filesFrom === undefined || options.recursive) return;
    throw new BargeError("usage", "--files-from needs -r", { op: "ls" });
  },
  ahead(options) {
    const { path: named = "/home", recursive, partial } = options;
    if (partial || isFiltered(options)) return [];
    const path = trimSlashes(named);
    return [{ verb: "stat", path }, { verb: "list", path, recursive }];
  },
  async run(options, { client }, { signal }) {
    const { path: named, partial, json } = options;
    if (partial) return printPartials(await partials(client), trimSlashes(named ?? "/"), json);
    const path = named ?? "/home";
    const filter = isFiltered(options) ? await readFilter(options, path) : undefined;
    await printList(client, path, { ...options, filter, signal });
  },
});

/** Prints the partial uploads at or below a path. */
function printPartials(all: readonly PartialUpload[], below: string, json: boolean): void {
  for (const { path, offset, size, busy, expires } of all) {
    if (below !== "/" && path !== below && !path.startsWith(`${below}/`)) continue;
    const received = `${String(offset).padStart(13)} of ${String(size ?? "?").padEnd(13)}`;
    const until = (busy ? "under way" : minute(expires)).padEnd(17);
    if (json) printJson({ path, offset, size, busy, expires });
    else printLine(`${received}  ${until}  ${path}`);
  }
}
