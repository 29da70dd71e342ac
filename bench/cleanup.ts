/**
 * The children, daemons, folders and mounts of a benchmark, which are removed with it, also after Ctrl-C.
 */
const children = new Set<Deno.ChildProcess>();
const folders = new Set<string>();
const mounts = new Set<string>();
const daemons = new Set<() => Promise<void>>();
let stopped = false;

/**
 * Starts a child that ends with the benchmark.
 *
 * @throws {Error} when the benchmark is already ending
 */
export function spawn(program: string, options: Deno.CommandOptions): Deno.ChildProcess {
  if (stopped) throw new Error("the benchmark was cut short");
  const child = new Deno.Command(program, options).spawn();
  children.add(child);
  child.status.finally(() => children.delete(child));
  return child;
}

/** Notes daemons that the benchmark has started and that end with it. @param stop ends them */
export function noteDaemons(stop: () => Promise<void>): AsyncDisposable {
  daemons.add(stop);
  return {
    async [Symbol.asyncDispose]() {
      await stop();
      daemons.delete(stop);
    },
  };
}

/** Makes a temporary folder that is removed with the benchmark. */
export async function makeFolder(prefix: string, dir?: string): Promise<string> {
  const folder = await Deno.makeTempDir({ prefix, dir });
  folders.add(folder);
  return folder;
}

/** Removes such a folder now. */
export async function removeFolder(folder: string): Promise<void> {
  await Deno.remove(folder, { recursive: true });
  folders.delete(folder);
}

/**
 * Mounts a tmpfs on such a folder, which needs root.
 *
 * @returns whether it is mounted
 */
export async function mountMemory(folder: string): Promise<boolean> {
  if (!await run("mount", "-t", "tmpfs", "-o", "mode=0755", "tmpfs", folder)) return false;
  mounts.add(folder);
  return true;
}

/** Unmounts the tmpfs now. */
export async function unmount(folder: string): Promise<void> {
  // Lazily, since a process that has just been ended may still have files open.
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

/** Ends all children and removes all folders; later calls of {@link spawn} fail. */
export async function clearUp(): Promise<void> {
  stopped = true;
  const ended = [...children].map((child) => {
    child.kill("SIGTERM");
    return child.status;
  });
  await Promise.race([Promise.all(ended), new Promise((resolve) => setTimeout(resolve, 5000))]);
  for (const child of children) child.kill("SIGKILL");
  for (const stop of daemons) await stop();
  for (const folder of mounts) await unmount(folder);
  for (const folder of folders) await removeRepeatedly(folder);
}

/** Removes a folder in which a process may still be writing. */
async function removeRepeatedly(folder: string): Promise<void> {
  for (let tries = 0; tries < 100; tries++) {
    try {
      return await Deno.remove(folder, { recursive: true });
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

/** Clears up before SIGINT and SIGTERM end the benchmark. */
export function clearUpOnSignals(): void {
  for (const [signal, code] of [["SIGINT", 130], ["SIGTERM", 143]] as const) {
    Deno.addSignalListener(signal, () => void clearUp().finally(() => Deno.exit(code)));
  }
}
