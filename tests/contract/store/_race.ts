/** Small files from one of several processes that race for an account's quota. */
import { BargeError } from "../../../core/error.ts";
import type { Uploads } from "../../../core/storage/uploads.ts";
import { file, store } from "./_suite_uploads.ts";

/** Stores files. @param process tells its names from those of others @returns the number that fitted */
export async function race(
  uploads: Uploads,
  account: number,
  process: number,
  files: number,
  bytes: number,
): Promise<number> {
  let won = 0;
  for (let i = 0; i < files; i++) {
    try {
      const place = { dir: file.dir, name: `process-${process}-${i}` };
      await store(uploads, account, new Uint8Array(bytes), place);
      won++;
    } catch (error) {
      if (!(error instanceof BargeError && error.kind === "over-quota")) throw error;
    }
  }
  return won;
}
