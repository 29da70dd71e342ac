/** One client's requests, or files, may not keep the others waiting: after so many it is their turn. */
import { setImmediate } from "node:timers";

const fairShare = 16;

/** @param count how many have been served in a row @returns whether it is the others' turn */
export function isTheirTurn(count: number): boolean {
  return count > 0 && count % fairShare === 0;
}

/** Lets the others have theirs. */
export function theirTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
