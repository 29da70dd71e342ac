/** `barge bench io`. */
import { localBench } from "../_bench/local.ts";

export default localBench(
  "io",
  "Reads a small file repeatedly in tasks, workers and subprocesses. They start before the measurement, so this measures reading alone; `barge bench spawn` measures the start.",
);
