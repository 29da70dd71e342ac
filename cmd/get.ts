/** `barge get`: fetches files and folders. */
import { isStandardOutput, isStream } from "../core/client/download/local_target.ts";
import { BargeError } from "../core/error.ts";
import { args, flag, marked } from "./_term/command.ts";
import { stdoutBytes } from "./_term/out.ts";
import { path } from "./_term/value.ts";
import { sessionCommand } from "./_client/session.ts";
import { checkFilter, isFiltered, readFilter } from "./_client/filters.ts";
import { inAttempts } from "./_client/attempts.ts";
import { printTransfer, transferOptions } from "./_client/transfer.ts";

export default sessionCommand({
  options: {
    paths: args(
      path("PATH"),
      "Remote files and folders; the last of two or more is the target",
    ),
    ...marked({
      requireDigest: flag(
        "Fail with exit code 13 for a file without a stored digest, which was changed outside barge",
      ),
    }, { excludes: ["noVerify"] }),
    ...transferOptions,
  },
  usage: "SRC... [LOCAL]",
  about: `Fetches files and folders from a server. The target of a single argument is the current
    folder; else the last argument is the target: - for standard output, an existing folder or a path
    that ends in / for a folder to put into, or the new name. A folder always goes into the target:
    with its name, or, as in rsync, only its contents if its path ends in /.

    A file is written beside its name, checked by SHA-256, and then renamed. After an interruption,
    run the same command again: it resumes. A file that was changed at the server outside barge has
    no digest to check: this is reported, and --json has "verified":false; --require-digest makes it
    a failure.

    As with cp, a file replaces the target of a symbolic link; devices, FIFOs and names like
    /dev/stdout are written to. With -r nothing is written through links below the target: with
    --delete the links are removed first; without it, their names fail with exit code 14. The same
    holds for a folder that is a file here, and a file that is a folder.

    A filter leaves names out on both sides: they are neither fetched nor removed by --delete. A file
    .bargeignore in a local folder leaves out names below it by the rules of .gitignore.`,
  examples: [
    ["barge get /home/backup.tar", "fetch a file into the current folder"],
    ["barge get -r /home/photos/ ~/photos", "fetch the contents of a folder"],
    ["barge get /home/src.tar - | tar x", "pass a file to a program"],
  ],
  check(options) {
    const { paths, json, passwordStdin } = options;
    checkOutput(targetOf(paths), json);
    checkFilter(options, sourcesOf(paths), passwordStdin ? "the password" : undefined);
  },
  async ahead(options) {
    const [{ firstRequests }] = await Promise.all([
      import("../core/client/download/first_requests.ts"),
      import("../core/client/get.ts"),
    ]);
    if (isFiltered(options)) return []; // its names may come from standard input, and take a while
    const { paths, noVerify } = options;
    return firstRequests(sourcesOf(paths), targetOf(paths), { ...options, verify: !noVerify });
  },
  async run(options, session) {
    const { get } = await import("../core/client/get.ts");
    const { paths } = options;
    const sources = sourcesOf(paths);
    const filter = await readFilter(options, sources[0]);
    const repeatable = !isStream(targetOf(paths));
    const transfer = inAttempts(
      session,
      { ...options, repeatable },
      (client, attempt) =>
        get(client, sources, targetOf(paths), {
          ...options,
          ...filter,
          ignoreFiles: !options.noIgnore,
          verify: !options.noVerify,
          ...attempt,
          output: stdoutBytes,
        }),
    );
    return await printTransfer("get", options, transfer);
  },
});

/** Refuses standard output as the target of a download that also prints JSON there. */
export function checkOutput(target: string, json: boolean): void {
  if (!json || !isStandardOutput(target)) return;
  const why = "standard output can't be both the file and the JSON";
  throw new BargeError("usage", why, { op: "get" });
}

function sourcesOf(paths: readonly string[]): readonly string[] {
  return paths.length > 1 ? paths.slice(0, -1) : paths;
}

function targetOf(paths: readonly string[]): string {
  return paths.length > 1 ? paths.at(-1)! : ".";
}
