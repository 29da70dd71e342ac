// deno-lint-ignore-file no-console
/**
 * `deno task bench`: what barge costs, measured on the real program, its server and client as
 * processes of their own on loopback. Each figure is the median of some runs, with their spread.
 *
 *     deno task bench                 all of them
 *     deno task bench memory tree     only these
 */
import { benchFtp } from "./ftp.ts";
import { benchHttp } from "./http.ts";
import { benchIdle } from "./idle.ts";
import { benchMemory } from "./memory.ts";
import { benchSftp } from "./sftp.ts";
import { benchStart } from "./start.ts";
import { benchSync } from "./sync.ts";
import { benchTree } from "./tree.ts";
import { machine } from "../core/bench/machine.ts";

const benches = {
  memory: benchMemory,
  idle: benchIdle,
  tree: benchTree,
  sftp: benchSftp,
  start: benchStart,
  ftp: benchFtp,
  sync: benchSync,
  http: benchHttp,
} as const;

const asked = Deno.args.length > 0 ? Deno.args : Object.keys(benches);
const unknown = asked.find((name) => !Object.hasOwn(benches, name));
if (unknown) {
  console.error(`bench: there is no ${unknown}; there are ${Object.keys(benches).join(", ")}`);
  Deno.exit(2);
}
console.log(machine());
for (const name of asked) console.log("\n" + await benches[name as keyof typeof benches]());
