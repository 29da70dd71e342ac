/**
 * Who is asking: an agent is an isolate, that is the main program or one worker. It is what Python
 * calls a thread: all async tasks of an isolate are one agent, since nothing in it runs at once.
 *
 * Two words of noise name it, neither of them 0, so that nobody needs to hand out names. They are
 * stored one after the other, and so a reader may see halves of two agents: that these happen to be
 * its own name has a chance of 2^-62.
 */
const name = crypto.getRandomValues(new Int32Array(2)).map((half) => half | 1);

/** How many words {@link sign} writes. */
export const agentWords = 2;

/** Writes this agent's name. */
export function sign(words: Int32Array, at: number): void {
  Atomics.store(words, at, name[0]!);
  Atomics.store(words, at + 1, name[1]!);
}

/** Removes any name. */
export function unsign(words: Int32Array, at: number): void {
  Atomics.store(words, at, 0);
  Atomics.store(words, at + 1, 0);
}

/** Is it this agent's name that is there? */
export function signedHere(words: Int32Array, at: number): boolean {
  return Atomics.load(words, at) === name[0] && Atomics.load(words, at + 1) === name[1];
}
