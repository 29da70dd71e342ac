/** `barge bench all`: runs the benchmarks one after the other. */
import { command, flag, valueOr } from "../_term/command.ts";
import { exitCodes } from "../_term/exit.ts";
import { count } from "../_term/value.ts";
import { runLocal } from "../_bench/local.ts";
import { self } from "../_bench/self.ts";

export default command({
  options: {
    repetitions: valueOr(count("N", 1, 100), 3, "How many runs. Default: 3"),
    quick: flag("Do less work: two minutes at most"),
  },
  about: `Runs every \`barge bench\` on this machine: loads of barge's own servers over TCP, UDP and
    HTTP, transfers, and the comparisons of spawn, cpu, io, switch, fetch and queue.`,
  examples: [["barge bench all --quick", "two minutes at most"]],
  async run({ repetitions, quick, json }, { signal }) {
    const seconds = quick ? "2" : "10";
    const shared = json ? ["--json"] : [];
    for (
      const args of [
        ["tcp", "-d", seconds],
        ["udp", "-d", seconds],
        ["http", "-d", seconds],
        ["transfer", ...(quick ? ["--quick"] : [])],
      ]
    ) {
      // Each runs in a process of its own, so that it is not affected by the one before.
      const child = self(["bench", ...args, ...shared], { stdin: "null" }).spawn();
      const stop = () => child.kill("SIGINT");
      signal.addEventListener("abort", stop, { once: true });
      const { code } = await child.status;
      signal.removeEventListener("abort", stop);
      if (signal.aborted) return exitCodes.interrupted;
      if (code !== 0) return code;
    }
    const { subjects } = await import("../../core/bench/local/subjects.ts");
    const times = quick ? 1 : repetitions;
    return await runLocal(Object.keys(subjects), { repetitions: times, quick, json, signal });
  },
});
