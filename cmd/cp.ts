/** `barge cp`: copies at a server, where no byte crosses the wire. */
import type { Client } from "../core/client/client.ts";
import { copy } from "../core/client/copy.ts";
import { listAll } from "../core/client/list.ts";
import { mkdir } from "../core/client/mkdir.ts";
import { stat } from "../core/client/stat.ts";
import { join } from "../core/client/target.ts";
import { BargeError, type Kind, typed } from "../core/error.ts";
import { command } from "./_term/command.ts";
import { eachPath } from "./_term/each.ts";
import { sharedCode } from "./_term/exit.ts";
import { report } from "./_term/fail.ts";
import { args, common, flag } from "./_term/options.ts";
import { printJson } from "./_term/out.ts";
import { openSession, sessionOptions } from "./_term/session.ts";
import { targets } from "./_term/target.ts";

/** Requests that are on their way at once. */
const window = 64;

export default command({
  options: {
    paths: args("PATH", "Remote files and folders; last, their new name or folder", 2),
    recursive: flag(["-r", "--recursive"], "Folders with all that is in them"),
    noClobber: flag(["--no-clobber"], "Fail rather than replace a file"),
    ...sessionOptions,
    ...common,
  },
  usage: "SRC... DEST",
  about: `Copies files and folders at the server. A copy is charged to you like any other file, also
    one of what somebody else has in /public.`,
  examples: [
    ["barge cp /public/plan.pdf /home/", "keep a copy of your own"],
    ["barge cp -r /home/site /public/", "publish a folder"],
  ],
  async run({ paths, recursive, noClobber, json, ...choice }, { signal }) {
    await using session = await openSession(choice, signal);
    const { client } = session;
    const sources = paths.slice(0, -1);
    const to = await targets(client, "cp", sources, paths.at(-1)!);
    const overwrite = noClobber ? "never" : "always";
    const failures: Kind[] = [];
    const one = async (from: string, to: string) => {
      const { size, sha256 } = await copy(client, from, to, overwrite);
      if (json) printJson({ from, to, size, sha256 });
    };
    const code = await eachPath("cp", sources, async (from) => {
      if ((await stat(client, from)).entry?.type !== "dir") return await one(from, to(from));
      if (!recursive) throw new BargeError("usage", "it is a folder", { hint: "use -r" });
      failures.push(...await copyTree(client, from, to(from), one));
    });
    return failures.length === 0 ? code : code === 0 ? sharedCode(failures) : 1;
  },
});

/** Copies a folder, many files at once on their way. @returns the files' failures */
async function copyTree(
  client: Client,
  from: string,
  to: string,
  one: (from: string, to: string) => Promise<void>,
): Promise<Kind[]> {
  const asFolder = (path: string) => join(path, "*").slice(0, -1);
  if (asFolder(to).startsWith(asFolder(from))) {
    throw new BargeError("usage", "a folder can't be copied into itself", { path: from });
  }
  const entries = await listAll(client, from, { recursive: true });
  const failures: Kind[] = [];
  const waiting = new Set<Promise<void>>();
  const send = async (work: Promise<unknown>, path: string) => {
    const settled: Promise<void> = work.then(() => {}, (cause) => {
      if (client.closed) throw client.closed;
      const error = typed(cause, { op: "cp", path });
      report(error, { debug: false });
      failures.push(error.kind);
    }).finally(() => waiting.delete(settled));
    settled.catch(() => {/* awaited below */});
    waiting.add(settled);
    if (waiting.size >= window) await Promise.race(waiting);
  };
  await mkdir(client, to, { parents: true });
  for (const { name, type } of entries) {
    const target = join(to, name);
    await send(
      type === "dir" ? mkdir(client, target, { parents: true }) : one(join(from, name), target),
      join(from, name),
    );
  }
  await Promise.all(waiting);
  return failures;
}
