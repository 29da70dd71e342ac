/** Ctrl-C while another program has the terminal: that program hears it, too, and it is meant there. */
let busy = 0;
/** Milliseconds by which the signal may come later than the other program's end. */
const signalDelayMs = 200;

/** Is Ctrl-C meant for another program now? */
export function isForAnother(): boolean {
  return busy > 0;
}

/** Runs what gives the terminal to another program. */
export async function lendTerminal<T>(work: () => Promise<T>): Promise<T> {
  busy++;
  try {
    return await work();
  } finally {
    setTimeout(() => busy--, signalDelayMs);
  }
}
