/**
 * Ignores Ctrl-C while another program has the terminal. That program gets the signal, too, and it
 * is meant for it.
 */
let busy = 0;
/** How much later than the other program's end the signal may come, in ms. */
const signalDelayMs = 200;

/** Returns whether Ctrl-C is meant for another program now. */
export function isForAnother(): boolean {
  return busy > 0;
}

/** Runs work during which another program has the terminal. */
export async function lendTerminal<T>(work: () => Promise<T>): Promise<T> {
  busy++;
  try {
    return await work();
  } finally {
    setTimeout(() => busy--, signalDelayMs);
  }
}
