/**
 * Programs whose clock is wrong, by libfaketime. The program `faketime` is not used: it fails where one with the same
 * process ID was killed before, whose files are still in /dev/shm.
 */
import { existsSync } from "node:fs";

const library = `/usr/lib/${Deno.build.arch}-linux-gnu/faketime/libfaketimeMT.so.1`;
const sharedMemory = "/dev/shm";

/** Whether libfaketime is there. */
export const hasWrongClock = existsSync(library);

/**
 * Returns the variables that change the clock of a program, and leave its timers, which deadlines depend on.
 *
 * @param offset as `+1h` or `-600s`
 */
export function wrongClock(offset: string): Record<string, string> {
  removeLeftovers();
  return { LD_PRELOAD: library, FAKETIME: offset, FAKETIME_DONT_FAKE_MONOTONIC: "1" };
}

/** Removes the files of processes that have ended. One that was killed, or has run another program, leaves them. */
function removeLeftovers(): void {
  for (const { name } of Deno.readDirSync(sharedMemory)) {
    const [, pid] = /^(?:sem\.faketime_sem|faketime_shm)_(\d+)$/.exec(name) ?? [];
    if (pid === undefined || existsSync(`/proc/${pid}`)) continue;
    try {
      Deno.removeSync(`${sharedMemory}/${name}`);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error; // another test has removed it
    }
  }
}
