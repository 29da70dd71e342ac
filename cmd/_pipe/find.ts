/** `barge find`: finds files and folders of a server. */
import { baseName } from "../../core/client/path.ts";
import { BargeError } from "../../core/error.ts";
import { args, flag, marked, value } from "../_term/command.ts";
import { eachPath } from "../_client/each_path.ts";
import { entryFields } from "../_client/entry.ts";
import { choiceOptions, readFilter } from "../_client/filters.ts";
import { found } from "./found.ts";
import type { Listed } from "../_client/listed.ts";
import { sessionCommand } from "../_client/session.ts";
import { keepUp, print, printJson, printLine, printRaw, terminal } from "../_term/out.ts";
import { oneOf, plain } from "../_term/value.ts";

export default sessionCommand({
  options: {
    paths: args("PATH", "Folders or files. Default: /home", 0),
    name: value(plain("GLOB"), "Take only files and folders whose own name matches"),
    type: value(oneOf("file", "dir"), "Take only files, or only folders"),
    owner: value(plain("NAME"), "Take only files that are charged to this account"),
    ...choiceOptions,
    ...marked({
      print0: flag("End each path with a NUL in place of a line end", "-print0"),
      format: value(
        plain("FORMAT"),
        "Print lines like '{size}\\t{path}'; the fields are those of --json",
      ),
    }, { excludes: ["print0", "format", "json"] }),
  },
  about:
    `Prints the paths of files and folders below the given ones that all options take. Options for
    sizes, times and --include choose files, and no folders. Patterns with a slash, as in --exclude
    /tmp/, are relative to PATH. Without -print0 and --json, line ends in names are escaped.`,
  examples: [
    ["barge find /home --name '*.tar' --min-size 1GB", "find large archives"],
    [
      "barge find -print0 /home/backups --older 30d | barge rm -0 --files-from -",
      "remove files that are older than 30 days",
    ],
    ["barge find /public --owner bob --json | jq .size", "list the files of an account"],
  ],
  check({ print0, json, format }) {
    if (Number(print0) + Number(json) + Number(format !== undefined) <= 1) return;
    throw new BargeError("usage", "--json, --format and -print0 exclude each other", {
      op: "find",
    });
  },
  async run(options, { client }, { signal }) {
    const { paths, name, type, owner } = options;
    const filter = await readFilter(options);
    const matches = name === undefined ? () => true : await nameTest(name);
    const show = await printer(options);
    return await eachPath("find", paths.length > 0 ? paths : ["/home"], async (path) => {
      for await (const item of found(client, path, filter, signal)) {
        const { entry } = item;
        if (type !== undefined && entry.type !== type) continue;
        if (owner !== undefined && entry.owner !== owner) continue;
        if (!matches(baseName(item.path))) continue;
        const behind = keepUp(signal);
        if (behind) await behind;
        show(item);
      }
    });
  },
});

async function nameTest(pattern: string): Promise<(name: string) => boolean> {
  const { nameTest } = await import("../../core/client/filter/glob.ts");
  return nameTest(pattern);
}

/** Returns the function that prints a found file or folder. */
async function printer(
  { print0, json, format }: { print0: boolean; json: boolean; format: string | undefined },
): Promise<(item: Listed) => void> {
  if (json) return ({ path, entry }) => printJson(entryFields(path, entry));
  if (print0) return ({ path }) => printRaw(`${path}\0`);
  if (format === undefined) return ({ path }) => printLine(path);
  const { lineFormat } = await import("../_client/format.ts");
  const line = lineFormat(format, terminal.stdout);
  return ({ path, entry }) => print(line(path, entry));
}
