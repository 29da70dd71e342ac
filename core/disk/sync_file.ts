import { BlockingCalls } from "./blocking_calls.ts";

const syncs = new BlockingCalls(0.2);

/** Syncs a small file, on this thread where the disk is fast. @throws the system's error */
export async function syncSmall(file: Deno.FsFile): Promise<void> {
  if (!syncs.allowed) return await file.sync();
  syncs.run(() => file.syncSync());
}
