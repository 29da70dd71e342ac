/**
 * The identity of an agent, that is an isolate: the main program or one worker. It corresponds to a
 * thread in Python. All async tasks of an isolate are one agent.
 *
 * The name is two random words other than 0, so that no one has to assign names. They are stored
 * one after the other, so a reader may see one word each of two agents; the chance that these equal
 * its own name is 2^-62.
 */
const name = crypto.getRandomValues(new Int32Array(2)).map((word) => word | 1);

/** Length of a name in words. */
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

/** Returns whether the words are this agent's name. */
export function signedHere(words: Int32Array, at: number): boolean {
  return Atomics.load(words, at) === name[0] && Atomics.load(words, at + 1) === name[1];
}
