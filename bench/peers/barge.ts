/** barge's own client, timed as the peers' are: from the start of the process to its end. */
import { bargeCommand, type Bench } from "../program.ts";
import { capture, timed } from "./process.ts";

/** @returns seconds */
export function barge(
  { env }: Bench,
  args: readonly string[],
  more: readonly string[] = [],
): Promise<number> {
  return timed(...bargeCommand([...args, ...more]), { env });
}

/** Has this barge a way to move bytes without their digests? */
export async function canSkipDigests(): Promise<boolean> {
  const { stdout } = await capture(...bargeCommand(["put", "--help"]));
  return /--checksum [^\n]*\bnone\b/.test(stdout);
}
