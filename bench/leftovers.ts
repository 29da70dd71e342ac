/**
 * What a benchmark has started and made, so that it ends with it, however that ends: children by their
 * process ids, and folders. Ctrl-C and SIGTERM clear up, too.
 */
const children = new Set<Deno.ChildProcess>();
const folders = new Set<string>();
const mounts = new Set<string>();
let over = false;

/**
 * Starts a child that is ended when the benchmark is cut short.
 *
 * @throws {Error} when it has been
 */
export function spawn(program: string, options: Deno.CommandOptions): Deno.ChildProcess {
  if (over) throw new Error("the benchmark was cut short");
  const child = new Deno.Command(program, options).spawn();
  children.add(child);
  child.status.finally(() => children.delete(child));
  return child;
}

/** A temporary folder that is removed when the benchmark is cut short. */
export async function makeFolder(prefix: string, dir?: string): Promise<string> {
  const folder = await Deno.makeTempDir({ prefix, dir });
  folders.add(folder);
  return folder;
}

/** Removes one of them, now. */
export async function removeFolder(folder: string): Promise<void> {
  await Deno.remove(folder, { recursive: true });
  folders.delete(folder);
}

/**
 * Mounts a file system in memory on one of them, which root may.
 *
 * @returns whether it could be done
 */
export async function mountMemory(folder: string): Promise<boolean> {
  if (!await run("mount", "-t", "tmpfs", "-o", "mode=0755", "tmpfs", folder)) return false;
  mounts.add(folder);
  return true;
}

/** Takes that file system away, now, with all that is in it. */
export async function unmount(folder: string): Promise<void> {
  // Lazily: what was ended a moment ago may have files open there yet.
  if (await run("umount", "-l", folder)) mounts.delete(folder);
}

async function run(program: string, ...args: readonly string[]): Promise<boolean> {
  try {
    const options: Deno.CommandOptions = { args: [...args], stdout: "null", stderr: "null" };
    return (await new Deno.Command(program, options).output()).success;
  } catch {
    return false; // there is no such program
  }
}

/** Ends and removes all that is left, now; nothing can be started any more. */
export async function clearUp(): Promise<void> {
  over = true;
  const ended = [...children].map((child) => {
    child.kill("SIGTERM");
    return child.status;
  });
  await Promise.race([Promise.all(ended), new Promise((resolve) => setTimeout(resolve, 5000))]);
  for (const child of children) child.kill("SIGKILL");
  for (const folder of mounts) await unmount(folder);
  for (const folder of folders) await insist(folder);
}

/** What was under way when it was cut short may write there for a moment yet. */
async function insist(folder: string): Promise<void> {
  for (let tries = 0; tries < 100; tries++) {
    try {
      return await Deno.remove(folder, { recursive: true });
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

/** From now on a signal that ends the benchmark clears up before. */
export function clearUpOnSignals(): void {
  for (const [signal, code] of [["SIGINT", 130], ["SIGTERM", 143]] as const) {
    Deno.addSignalListener(signal, () => void clearUp().finally(() => Deno.exit(code)));
  }
}
