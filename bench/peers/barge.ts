/** barge's own client, timed as the peers' are: from the start of the process to its end. */
import { bargeCommand, type Bench } from "../program.ts";
import { timed } from "./process.ts";

/** @returns seconds */
export function barge(
  { env }: Bench,
  args: readonly string[],
  more: readonly string[] = [],
): Promise<number> {
  return timed(...bargeCommand([...args, ...more]), { env });
}
