/** `barge bench cpu`. */
import { localBench } from "../_bench/local.ts";

export default localBench(
  "cpu",
  "Computes ten jobs in tasks of one isolate, in workers and in subprocesses, to show the gain of more cores. Their start counts.",
);
