/** `barge du`: sums the sizes of a server's folders. */
import { join } from "../../core/client/path.ts";
import { formatSize } from "../../core/size.ts";
import { args, flag, valueOr } from "../_term/command.ts";
import { choiceOptions, readFilter } from "../_client/filters.ts";
import { eachPath } from "../_client/each_path.ts";
import { found } from "./found.ts";
import { sessionCommand } from "../_client/session.ts";
import { escaped, print, printJson } from "../_term/out.ts";
import { count } from "../_term/value.ts";

/** The sums of a folder and all folders in it. */
interface Sums {
  size: number;
  files: number;
  folders: number;
}

export default sessionCommand({
  options: {
    paths: args("PATH", "Folders or files. Default: /home", 0),
    depth: valueOr(count("N", 0, 1000), 0, "Also print the folders down to this depth", "-d"),
    human: flag("Print sizes like 1.5 GB"),
    ...choiceOptions,
  },
  about:
    `Prints the number of bytes in all files below each path, and the path. Files of several owners
    are counted alike; \`barge quota\` shows what is charged to you.`,
  examples: [
    ["barge du -d 1 /home | sort -n", "show which folders are large"],
    ["barge du --older 1w /home --json", "sum what has not changed for a week"],
  ],
  async run(options, { client }, { signal }) {
    const { paths, depth, human, json } = options;
    const filter = await readFilter(options);
    return await eachPath("du", paths.length > 0 ? paths : ["/home"], async (root) => {
      const folders = new Map<string, Sums>();
      const add = (name: string, field: keyof Sums, amount: number) => {
        const sums = folders.get(name) ?? { size: 0, files: 0, folders: 0 };
        sums[field] += amount;
        folders.set(name, sums);
      };
      add("", "size", 0);
      for await (const { path, entry } of found(client, root, filter, signal)) {
        const isFolder = entry.type === "dir";
        const inside = path === root ? [""] : foldersAbove(entry.name, depth);
        if (isFolder && entry.name.split("/").length <= depth) add(entry.name, "size", 0);
        for (const name of inside) {
          add(name, isFolder ? "folders" : "files", 1);
          if (!isFolder) add(name, "size", entry.size);
        }
      }
      for (const [name, sums] of [...folders].reverse()) {
        const path = join(root, name);
        if (json) printJson({ path, ...sums });
        else print(`${human ? formatSize(sums.size) : sums.size}\t${escaped(path)}`);
      }
    });
  },
});

/** Returns the folders that contain a name, down to a depth; "" is the root. */
function foldersAbove(name: string, depth: number): string[] {
  const above = [""];
  for (let at = name.indexOf("/"); at !== -1; at = name.indexOf("/", at + 1)) {
    if (above.length > depth) break;
    above.push(name.slice(0, at));
  }
  return above;
}
