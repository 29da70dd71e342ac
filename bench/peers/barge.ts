/** Times a client command of barge, as the peers' clients are timed. */
import { bargeCommand, type Bench } from "../program.ts";
import { timed } from "./process.ts";

/** @returns seconds */
export function barge(
  { env }: Pick<Bench, "env">,
  args: readonly string[],
  more: readonly string[] = [],
): Promise<number> {
  return timed(...bargeCommand([...args, ...more]), { env });
}
