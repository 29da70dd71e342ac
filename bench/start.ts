/** How long the program takes to start, beside an empty script in the same runtime. */
import { run } from "./program.ts";
import { spread, table } from "./table.ts";

const runs = 11;

export async function benchStart(_?: unknown): Promise<string> {
  const empty: number[] = [];
  const version: number[] = [];
  const help: number[] = [];
  for (let i = 0; i < runs; i++) {
    const began = performance.now();
    await new Deno.Command(Deno.execPath(), { args: ["eval", "0"] }).output();
    empty.push(performance.now() - began);
    version.push((await run(["--version"])).seconds * 1000);
    help.push((await run(["put", "--help"])).seconds * 1000);
  }
  return table("Start of the program", ["command", "time"], [
    ["deno eval 0", spread(empty, "ms", 0)],
    ["barge --version", spread(version, "ms", 0)],
    ["barge put --help", spread(help, "ms", 0)],
  ]);
}
