/** `barge bench queue`. */
import { localBench } from "../_bench/local.ts";

export default localBench(
  "queue",
  "Passes numbers through a queue: between tasks, and between isolates by postMessage and by barge's own Queue on shared memory.",
);
