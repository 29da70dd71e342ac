/** `barge bench switch`. */
import { localBench } from "../_bench/local.ts";

export default localBench(
  "switch",
  "Compares switches to a generator and back with calls of a function and with awaits.",
);
