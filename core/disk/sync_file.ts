import { BlockingCalls } from "./blocking_calls.ts";

const syncs = new BlockingCalls(0.2);

/** Syncs a small file, on this thread where the disk is fast. @throws the system's error */
export async function syncSmall(file: Deno.FsFile): Promise<void> {
  if (!syncs.allowed) return await file.sync();
  syncs.run(() => file.syncSync());
}

/** Creates a file that only its owner can read, and syncs it. @throws the system's error */
export async function createSynced(path: string, text: string): Promise<void> {
  using file = await Deno.open(path, { createNew: true, write: true, mode: 0o600 });
  const bytes = new TextEncoder().encode(text);
  for (let written = 0; written < bytes.length;) {
    written += await file.write(bytes.subarray(written));
  }
  await file.sync();
}
