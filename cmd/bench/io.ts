/** `barge bench io`. */
import { localBench } from "../_term/local.ts";

export default localBench(
  "io",
  "Reads a small file again and again in tasks, workers and subprocesses: what starting them costs.",
);
