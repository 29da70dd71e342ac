/** Small disks for tests, where one may mount them. */

/** Mounts a disk in memory. @returns undefined where none can be had */
export async function mountDisk(path: string, size: string): Promise<AsyncDisposable | undefined> {
  Deno.mkdirSync(path);
  const options = `size=${size},mode=700`;
  if (!await run("mount", "-t", "tmpfs", "-o", options, "tmpfs", path)) return undefined;
  return { [Symbol.asyncDispose]: async () => void await run("umount", path) };
}

/** Makes a folder read-only, for everybody. @returns undefined where that can't be had */
export async function makeReadOnly(path: string): Promise<AsyncDisposable | undefined> {
  if (!await run("mount", "--bind", path, path)) return undefined;
  await run("mount", "-o", "remount,bind,ro", path);
  return { [Symbol.asyncDispose]: async () => void await run("umount", path) };
}

/** Can one be mounted here? */
export async function canMount(): Promise<boolean> {
  const path = Deno.makeTempDirSync({ prefix: "barge-disk-" });
  const disk = await mountDisk(`${path}/disk`, "1m");
  await disk?.[Symbol.asyncDispose]();
  Deno.removeSync(path, { recursive: true });
  return disk !== undefined;
}

/** Makes a file longer until the disk that it is on has no room left, not for one byte. */
export function fill(path: string): void {
  using file = Deno.openSync(path, { append: true, create: true });
  for (let bytes = new Uint8Array(1024 * 1024); bytes.length > 0;) {
    try {
      let done = 0;
      while (done < bytes.length) done += file.writeSync(bytes.subarray(done));
    } catch (error) {
      if (!(error instanceof Error && /os error 28/.test(error.message))) throw error;
      bytes = bytes.subarray(0, Math.floor(bytes.length / 2));
    }
  }
}

async function run(command: string, ...args: string[]): Promise<boolean> {
  try {
    return (await new Deno.Command(command, { args, stderr: "null" }).output()).success;
  } catch {
    return false;
  }
}
