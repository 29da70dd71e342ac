/** Copies files and folders at a server, for `barge cp` and the shell. */
import type { Client } from "../../core/client/client.ts";
import { copy, mkdir } from "../../core/client/change.ts";
import type { Entry } from "../../core/protocol/message.ts";
import { listAll } from "../../core/client/list.ts";
import { stat } from "../../core/client/stat.ts";
import { join } from "../../core/client/path.ts";
import { BargeError, type Kind, typed } from "../../core/error.ts";
import { AtOnce } from "./at_once.ts";
import { eachPath } from "./each_path.ts";
import { sharedCode } from "../_term/exit.ts";
import { report } from "../_term/fail.ts";
import { printJson, printLine } from "../_term/out.ts";
import { checkFree, isWithin, targets } from "./move_target.ts";

export interface CopyOptions {
  /** Copy folders, too. */
  readonly recursive: boolean;
  /** Fail instead of replacing a file. */
  readonly noClobber: boolean;
  readonly json: boolean;
  /** Print the copies without making them. */
  readonly dryRun?: boolean;
}

/**
 * Copies files and folders to a new name or into a folder.
 *
 * @returns the exit code that all failures share, else 1
 * @throws {BargeError} as {@link targets} and {@link eachPath}
 */
export async function copyAll(
  client: Client,
  sources: readonly string[],
  target: string,
  { recursive, noClobber, json, dryRun = false }: CopyOptions,
): Promise<number> {
  const to = await targets(client, "cp", sources, target);
  const overwrite = noClobber ? "never" : "always";
  const failures: Kind[] = [];
  const copyFile = async (from: string, to: string, entry: Entry, inTree = false) => {
    if (dryRun) await checkFree(client, to, noClobber, inTree);
    const { size, sha256 } = dryRun ? entry : await copy(client, from, to, overwrite);
    if (json) printJson({ from, to, size, sha256, ...dryRun ? { dryRun } : {} });
    else if (dryRun) printLine(`copy ${from} -> ${to}`);
  };
  const code = await eachPath("cp", sources, async (from) => {
    const { entry } = await stat(client, from);
    if (!entry) throw new BargeError("not-found", "only a partial upload exists");
    if (entry.type !== "dir") return await copyFile(from, to(from), entry);
    if (!recursive) throw new BargeError("usage", "it is a folder", { hint: "use -r" });
    failures.push(...await copyTree(client, from, to(from), { copyFile, dryRun }));
  });
  return failures.length === 0 ? code : code === 0 ? sharedCode(failures) : 1;
}

/** Copies a folder with many requests at once. @returns the failures */
async function copyTree(
  client: Client,
  from: string,
  to: string,
  { copyFile, dryRun }: {
    readonly copyFile: (from: string, to: string, entry: Entry, inTree: boolean) => Promise<void>;
    readonly dryRun: boolean;
  },
): Promise<Kind[]> {
  if (isWithin(to, from)) {
    throw new BargeError("usage", "a folder can't be copied into itself", { path: from });
  }
  const entries = await listAll(client, from, { recursive: true });
  const failures: Kind[] = [];
  const pending = new AtOnce();
  const makeFolder = async (path: string) => {
    if (!dryRun) await mkdir(client, path, { parents: true });
  };
  await makeFolder(to);
  for (const entry of entries) {
    const path = join(from, entry.name);
    const target = join(to, entry.name);
    const work = entry.type === "dir" ? makeFolder(target) : copyFile(path, target, entry, true);
    await pending.add(work.catch((cause) => {
      if (client.closed) throw client.closed;
      const error = typed(cause, { op: "cp", path });
      report(error, { debug: false });
      failures.push(error.kind);
    }));
  }
  await pending.done();
  return failures;
}
