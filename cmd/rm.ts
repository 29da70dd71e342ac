/** `barge rm`: removes files and folders at a server. */
import { dropPartial } from "../core/client/partial.ts";
import { remove } from "../core/client/change.ts";
import { isNotFound } from "../core/client/stat.ts";
import { join } from "../core/client/path.ts";
import { BargeError, type Kind } from "../core/error.ts";
import { maxRequests } from "./_client/at_once.ts";
import { args, flag, marked } from "./_term/command.ts";
import { eachPath } from "./_client/each_path.ts";
import { checkFilter, filterOptions, isFiltered, readFilter } from "./_client/filters.ts";
import { removeChosen } from "./_client/remove_all.ts";
import { otherCode, sharedCode } from "./_term/exit.ts";
import { printJson, record } from "./_term/out.ts";
import { counted } from "./_term/progress.ts";
import { sessionCommand } from "./_client/session.ts";

export default sessionCommand({
  options: {
    paths: args("PATH", "Files, empty folders, or any folders with -r", 0),
    recursive: flag("Remove folders with their contents", "-r"),
    ...marked({
      partial: flag("Drop your partial uploads of that name, and keep the file"),
    }, { excludes: ["recursive", "dryRun", ...Object.keys(filterOptions)] }),
    force: flag("Ignore missing files", "-f"),
    dryRun: flag("Print what would be removed, and remove nothing", "-n"),
    ...filterOptions,
  },
  usage: "PATH...",
  about: `Removes files and folders for good. If a path has a partial upload but no file,
    the partial upload is dropped.
    * and ? have no special meaning in names. With --json, \`removed\` is the number of removed files,
    0 for an empty folder.

    Filters choose files below the paths: with -r they are removed, then the folders that are empty
    by that, but never PATH itself; --json has an object for each of them. The patterns of a filter
    are relative to PATH. Without a PATH, the names of --files-from are whole paths.

    --partial drops partial uploads, which \`barge ls --partial\` lists, and frees their reserved
    bytes. A client that is sending one of them gets an error.`,
  examples: [
    ["barge rm /home/old.tar", "remove a file"],
    ["barge rm -r /home/photos/2019", "remove a folder and its contents"],
    [
      "barge rm -r --older 30d --dry-run /home/backups",
      "show the files that are older than 30 days",
    ],
    ["barge rm --files-from old.txt", "remove the files that a list names"],
    ["barge rm --partial /home/big.tar", "drop an upload that nobody will resume"],
  ],
  check({ paths, recursive, partial, passwordStdin, ...options }) {
    const hint = "`barge rm --help` lists the options";
    const refuse = (why: string) => new BargeError("usage", why, { op: "rm", hint });
    if (paths.length === 0 && options.filesFrom === undefined) {
      throw refuse("PATH...: too few arguments");
    }
    if (partial && recursive) throw refuse("--partial and -r exclude each other");
    if (partial && (options.dryRun || isFiltered(options))) {
      throw refuse("--partial takes neither filters nor --dry-run");
    }
    checkFilter(options, paths, passwordStdin ? "the password" : undefined);
  },
  async run(options, { client }) {
    const { paths, recursive, partial, force, dryRun, json } = options;
    const root = paths[0] ?? "/";
    const filter = isFiltered(options) ? await readFilter(options, root) : undefined;
    const { names, ...tests } = filter ?? {};
    const chooses = isFiltered({ ...options, filesFrom: undefined });
    const failures: Kind[] = [];
    let total = 0;
    const run = async (path: string): Promise<void> => {
      if (chooses || dryRun) {
        const chosen = { filter: chooses ? tests : undefined, recursive, dryRun, json };
        const outcome = await removeChosen(client, path, chosen);
        failures.push(...outcome.failures);
        total += outcome.removed;
        return;
      }
      let removed = 0;
      if (partial) await dropPartial(client, path);
      else removed = await remove(client, path, { recursive });
      total += partial ? 1 : removed;
      if (json) printJson({ path, removed });
    };
    const targets = names?.map((name) => join(root, name)) ?? paths;
    const code = await eachPath("rm", targets, async (path) => {
      await run(path).catch((error) => {
        if (!force || !(error instanceof BargeError) || !isNotFound(error)) throw error;
        if (json) printJson({ path, removed: 0 });
      });
    }, names ? maxRequests : 1);
    const undone = dryRun ? "; nothing was done (--dry-run)" : "";
    record(`${counted(total, partial ? "partial upload" : "file")} removed${undone}`);
    return failures.length === 0 ? code : code === 0 ? sharedCode(failures) : otherCode;
  },
});
