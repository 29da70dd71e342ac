/**
 * `deno task fuzz [--seed N] [--cases N]`: mutated conversations and noise against a server of its
 * own; tests/core/door/_fuzz.ts says what they are. A case that fails names its seed: `--seed THAT
 * --cases 1` is that case again, on a server that has seen no other.
 */
import { residentMemory } from "../bench/process_memory.ts";
import { barge, startServer } from "../tests/_server.ts";
import { fuzz } from "../tests/core/door/_fuzz.ts";
import { assertUp, tokenOf } from "../tests/core/door/_peer.ts";
import { numbers, say } from "./run.ts";

/** More than this, in MiB, is not given back. */
const bound = 256;

const { seed, cases } = numbers(Deno.args, { seed: Date.now() % 1e9, cases: 20_000 });
await using server = await startServer({ args: ["--durability", "relaxed"] });
const { address, data, pid } = server;
await server.addUser("anna", { quota: "10MB" });
const token = await tokenOf(address, "anna");
await assertUp(address);
const idle = residentMemory(pid);
say(`${cases} cases from seed ${seed}`);
const answers = await fuzz({
  ...{ address, token, seed, cases },
  onCase: (done) => done % 1000 === 0 && say(`${done}, ${residentMemory(pid).toFixed(0)} MiB`),
});
const counts = Array.from(answers, ([kind, n]) => `${kind} ${n}`).sort();
say(`answers: ${counts.join(", ")}`);
await assertUp(address);
const grown = residentMemory(pid) - idle;
say(`memory: ${grown.toFixed(0)} MiB more than the ${idle.toFixed(0)} of the idle server`);
const { code, stdout, stderr } = await barge(["quota", "verify", "--data", data]);
say(stdout + stderr);
const said = server.stderr().split("\n").filter((line) => /a bug|"ERROR"|"FATAL"/.test(line));
said.forEach(say);
if (code !== 0 || grown > bound || said.length > 0) Deno.exitCode = 1;
