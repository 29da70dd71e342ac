/** How tests observe another process, which reports nothing to them: they look again and again. */
import { DatabaseSync } from "node:sqlite";

/** Generous, for a busy machine. */
const timeoutMs = 60_000;
/** The first and the longest pause between two looks: a look may open a database, half a millisecond of CPU. */
const [firstPauseMs, longestPauseMs] = [5, 100];

/**
 * Waits until a condition holds.
 *
 * @param look its first value that is not falsy ends the wait
 * @returns that value
 * @throws {Error} after a minute
 */
export async function until<T>(look: () => T | Promise<T>): Promise<NonNullable<T>> {
  const deadline = performance.now() + timeoutMs;
  for (let pauseMs = firstPauseMs;; pauseMs = Math.min(pauseMs * 1.25, longestPauseMs)) {
    const value = await look();
    if (value) return value;
    if (performance.now() > deadline) throw new Error(`not so within ${timeoutMs} ms: ${look}`);
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
}

/** Returns the number of uploads that some connection holds at this moment. @param data a server's directory */
export function heldUploads(data: string): number {
  using db = new DatabaseSync(`${data}/accounts.db`, { readOnly: true });
  const row = db.prepare("SELECT count(*) AS n FROM upload WHERE holder IS NOT NULL").get();
  return (row as { n: number }).n;
}

/** Returns the length of a file in bytes; 0 where no file is. */
export function sizeOf(path: string): number {
  try {
    return Deno.lstatSync(path).size;
  } catch {
    return 0;
  }
}

/** Returns the resident memory of a process, in bytes. */
export function residentBytes(pid: number): number {
  const status = Deno.readTextFileSync(`/proc/${pid}/status`);
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)![1]) * 1024;
}

/** Returns the number of file descriptors that a process has open. */
export function descriptorCount(pid: number): number {
  return Array.from(Deno.readDirSync(`/proc/${pid}/fd`)).length;
}
