/** Makes the bytes of a small file durable: at once where the disk is quick. */
import { Quick } from "./quick.ts";

const syncs = new Quick(0.2);

/** For few bytes: those of a large file always take long. @throws what the system does */
export async function syncSmall(file: Deno.FsFile): Promise<void> {
  if (!syncs.here) return await file.sync();
  syncs.try(() => file.syncSync());
}
