/** `barge bench cpu`. */
import { localBench } from "../_bench/local.ts";

export default localBench(
  "cpu",
  "Has ten tasks computed by tasks of one isolate, by workers and by subprocesses: what more cores gain. Their start counts.",
);
