/** `barge bench spawn`. */
import { localBench } from "../_bench/local.ts";

export default localBench(
  "spawn",
  "Starts hundreds of workers, subprocesses and tasks that do nothing, and waits until they end.",
);
