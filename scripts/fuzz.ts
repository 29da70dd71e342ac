/**
 * `deno task fuzz [--seed N] [--cases N]`: sends mutated conversations and noise
 * (tests/core/door/_fuzz.ts) to a server of its own. A failed case prints its seed; `--seed SEED
 * --cases 1` repeats it on a new server.
 */
import { residentMemory } from "../bench/process_memory.ts";
import { barge, startServer } from "../tests/_server.ts";
import { fuzz } from "../tests/core/door/_fuzz.ts";
import { assertUp } from "../tests/core/door/_peer.ts";
import { numbers, say } from "./run.ts";

/** The largest allowed growth of the server's memory. */
const maxGrowthMiB = 256;

const { seed, cases } = numbers(Deno.args, { seed: Date.now() % 1e9, cases: 20_000 });
await using server = await startServer({ args: ["--durability", "relaxed"] });
const { address, data, pid } = server;
await server.addUser("anna", { quota: "10MB" });
const token = await server.issueToken("anna");
await assertUp(address);
const idle = residentMemory(pid);
say(`${cases} cases from seed ${seed}`);
const answers = await fuzz({
  address,
  token,
  seed,
  cases,
  onCase: (done) => done % 1000 === 0 && say(`${done}, ${residentMemory(pid).toFixed(0)} MiB`),
});
const counts = Array.from(answers, ([kind, n]) => `${kind} ${n}`).sort();
say(`answers: ${counts.join(", ")}`);
await assertUp(address);
const grown = residentMemory(pid) - idle;
say(`memory: ${grown.toFixed(0)} MiB more than the ${idle.toFixed(0)} of the idle server`);
const { code, stdout, stderr } = await barge(["quota", "verify", "--data", data]);
say(stdout + stderr);
const errors = server.stderr().split("\n").filter((line) => /a bug|"ERROR"|"FATAL"/.test(line));
errors.forEach(say);
if (code !== 0 || grown > maxGrowthMiB || errors.length > 0) Deno.exitCode = 1;
