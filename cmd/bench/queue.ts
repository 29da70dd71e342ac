/** `barge bench queue`. */
import { localBench } from "../_bench/local.ts";

export default localBench(
  "queue",
  "Hands numbers on through a queue: between tasks, and between isolates, where barge's own Queue on shared memory is measured against postMessage.",
);
