/**
 * A lock that one run of a job holds. The system releases it when the process ends, however it ends. The
 * file stays, since another run may be waiting to open it.
 */
import { dirname } from "node:path";
import { BargeError, typed } from "../../core/error.ts";

export class JobLock implements Disposable {
  readonly #file: Deno.FsFile;

  private constructor(file: Deno.FsFile) {
    this.#file = file;
  }

  /**
   * Takes a lock.
   *
   * @param name of a lock of this user, or the absolute path of its file
   * @throws {BargeError} `exists` while another process has it; `usage` for a name without a home; the
   *   failure to open the file
   */
  static async take(name: string, verb: string): Promise<JobLock> {
    const path = lockPath(name);
    let file: Deno.FsFile | undefined;
    try {
      await Deno.mkdir(dirname(path), { recursive: true, mode: 0o700 });
      file = await Deno.open(path, { create: true, read: true, write: true, mode: 0o600 });
      if (await file.tryLock(true)) {
        await file.truncate();
        const since = new Date().toISOString().slice(0, 19) + "Z";
        await file.write(
          new TextEncoder().encode(`process ${Deno.pid} (barge ${verb}) since ${since}\n`),
        );
        return new JobLock(file);
      }
      const holder = (await Deno.readTextFile(path)).trim() || "another process";
      throw new BargeError("exists", `the lock ${name} is held by ${holder}`, {
        op: verb,
        hint: "run it again when that run has ended",
      });
    } catch (cause) {
      file?.close();
      throw typed(cause, { op: "open lock", path });
    }
  }

  [Symbol.dispose](): void {
    this.#file.close();
  }
}

function lockPath(name: string): string {
  if (name.startsWith("/")) return name;
  const xdg = Deno.env.get("XDG_STATE_HOME");
  if (xdg?.startsWith("/")) return `${xdg}/barge/locks/${name}`;
  const home = Deno.env.get("HOME") || Deno.env.get("USERPROFILE");
  if (home) return `${home}/.local/state/barge/locks/${name}`;
  throw new BargeError("usage", "there is no folder for locks: HOME is not set", {
    op: "--lock",
    hint: "set HOME, or give a path: --lock /run/lock/NAME",
  });
}
