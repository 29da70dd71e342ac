/** `barge bench io`. */
import { localBench } from "../_bench/local.ts";

export default localBench(
  "io",
  "Reads a small file again and again in tasks, workers and subprocesses. They have started before the clock does, so this measures reading alone; `barge bench spawn` measures the start.",
);
