/** Copies files and folders at a server, for `barge cp` and the shell. */
import type { Client } from "../../core/client/client.ts";
import { copy, mkdir } from "../../core/client/change.ts";
import { listAll } from "../../core/client/list.ts";
import { stat } from "../../core/client/stat.ts";
import { join } from "../../core/client/path.ts";
import { BargeError, type Kind, typed } from "../../core/error.ts";
import { eachPath } from "./each_path.ts";
import { sharedCode } from "../_term/exit.ts";
import { report } from "../_term/fail.ts";
import { printJson } from "../_term/out.ts";
import { targets } from "./move_target.ts";

const maxRequests = 64;

export interface CopyOptions {
  /** Copy folders, too. */
  readonly recursive: boolean;
  /** Fail instead of replacing a file. */
  readonly noClobber: boolean;
  readonly json: boolean;
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
  { recursive, noClobber, json }: CopyOptions,
): Promise<number> {
  const to = await targets(client, "cp", sources, target);
  const overwrite = noClobber ? "never" : "always";
  const failures: Kind[] = [];
  const copyFile = async (from: string, to: string) => {
    const { size, sha256 } = await copy(client, from, to, overwrite);
    if (json) printJson({ from, to, size, sha256 });
  };
  const code = await eachPath("cp", sources, async (from) => {
    if ((await stat(client, from)).entry?.type !== "dir") return await copyFile(from, to(from));
    if (!recursive) throw new BargeError("usage", "it is a folder", { hint: "use -r" });
    failures.push(...await copyTree(client, from, to(from), copyFile));
  });
  return failures.length === 0 ? code : code === 0 ? sharedCode(failures) : 1;
}

/** Copies a folder with many requests at once. @returns the failures */
async function copyTree(
  client: Client,
  from: string,
  to: string,
  copyFile: (from: string, to: string) => Promise<void>,
): Promise<Kind[]> {
  const asFolder = (path: string) => join(path, "*").slice(0, -1);
  if (asFolder(to).startsWith(asFolder(from))) {
    throw new BargeError("usage", "a folder can't be copied into itself", { path: from });
  }
  const entries = await listAll(client, from, { recursive: true });
  const failures: Kind[] = [];
  const pending = new Set<Promise<void>>();
  const send = async (work: Promise<unknown>, path: string) => {
    const settled: Promise<void> = work.then(() => {}, (cause) => {
      if (client.closed) throw client.closed;
      const error = typed(cause, { op: "cp", path });
      report(error, { debug: false });
      failures.push(error.kind);
    }).finally(() => pending.delete(settled));
    settled.catch(() => {/* awaited below */});
    pending.add(settled);
    if (pending.size >= maxRequests) await Promise.race(pending);
  };
  await mkdir(client, to, { parents: true });
  for (const { name, type } of entries) {
    const target = join(to, name);
    await send(
      type === "dir"
        ? mkdir(client, target, { parents: true })
        : copyFile(join(from, name), target),
      join(from, name),
    );
  }
  await Promise.all(pending);
  return failures;
}
