/** `barge bench fetch`. */
import { localBench } from "../_bench/local.ts";

export default localBench(
  "fetch",
  "Requests six pages one by one, and together, from a server on this machine.",
);
