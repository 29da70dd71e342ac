/** `barge bench switch`. */
import { localBench } from "../_bench/local.ts";

export default localBench(
  "switch",
  "Switches to a generator and back, against calls of a function, and awaits.",
);
