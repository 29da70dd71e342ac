/** Ignores Ctrl-C while another program has the terminal, since that program gets it, too. */

/** The number of programs that have the terminal now. */
let lent = 0;
/** The time after the other program's end in which its Ctrl-C may still arrive, in ms. */
const signalDelayMs = 200;

/** Returns whether Ctrl-C is meant for another program now. */
export function isForAnother(): boolean {
  return lent > 0;
}

/** Runs work while another program has the terminal. */
export async function lendTerminal<T>(work: () => Promise<T>): Promise<T> {
  lent++;
  try {
    return await work();
  } finally {
    setTimeout(() => lent--, signalDelayMs);
  }
}
