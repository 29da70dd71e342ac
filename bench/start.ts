/**
 * Measures the start of a command beside an empty script in the same runtime; the difference is
 * barge's own. The executable is measured, too, if `deno task compile` has made it.
 */
import { fileURLToPath } from "node:url";
import { makeFolder, removeFolder } from "./cleanup.ts";
import { median } from "./peers/contest.ts";
import { timed } from "./peers/process.ts";
import { bargeCommand, type Bench, startBench } from "./program.ts";
import { spread, table } from "./table.ts";

const compiled = fileURLToPath(new URL("../dist/barge", import.meta.url));

export interface StartOptions {
  readonly quick: boolean;
  readonly rounds: number | undefined;
  readonly dir: string | undefined;
  readonly print: (text: string) => void;
}

/** @returns seconds, by command */
export async function benchStart(options: StartOptions): Promise<Record<string, number[]>> {
  const { quick, dir, print } = options;
  const rounds = options.rounds ?? (quick ? 5 : 15);
  await using bench = await startBench({ dir });
  const empty = `${bench.folder}/empty`;
  await Deno.writeFile(empty, new Uint8Array());
  await Deno.writeTextFile(`${bench.folder}/empty.ts`, "");
  const { cold, ways } = await executable(bench, empty);
  const all: Record<string, () => Promise<number>> = {
    "deno eval 0": () => timed(Deno.execPath(), ["eval", "0"]),
    "deno run of an empty file": () =>
      timed(Deno.execPath(), ["run", "--quiet", `${bench.folder}/empty.ts`]),
    "barge --version": () => timed(...bargeCommand(["--version"]), { env: bench.env }),
    "barge put --help": () => timed(...bargeCommand(["put", "--help"]), { env: bench.env }),
    "barge put of an empty file": () =>
      timed(...bargeCommand(["put", "-q", empty, "/home/empty"]), { env: bench.env }),
    ...ways,
  };
  const samples: Record<string, number[]> = {};
  for (let i = 0; i < rounds; i++) {
    for (const [name, run] of Object.entries(all)) (samples[name] ??= []).push(await run());
  }
  const floor = median(samples["deno eval 0"]);
  const rows = Object.entries(samples).map(([name, values]) => {
    const own = median(values) - floor;
    const share = `${(own * 1000).toFixed(0)} ms (${(100 * own / median(values)).toFixed(0)} %)`;
    const milliseconds = values.map((value) => value * 1000);
    return [name, spread(milliseconds, "ms", 0), name.startsWith("deno") ? "" : share];
  });
  if (cold !== undefined) {
    samples["executable, its very first start"] = [cold];
    rows.push(["executable, its very first start", `${(cold * 1000).toFixed(0)} ms`, ""]);
  } else {
    rows.push(["executable", "missing: `deno task compile` makes it", ""]);
  }
  const title = `Start of the program, ${rounds} rounds`;
  print(table(title, ["command", "time", "more than `deno eval 0`"], rows));
  return samples;
}

interface Executable {
  /** Seconds of the first start; undefined without an executable. */
  readonly cold?: number;
  readonly ways: Readonly<Record<string, () => Promise<number>>>;
}

/** Measures the first start with an empty home, where the executable has unpacked nothing yet. */
async function executable({ env }: Bench, empty: string): Promise<Executable> {
  if (!await Deno.stat(compiled).then(() => true, () => false)) return { ways: {} };
  const home = await makeFolder("barge-bench-");
  try {
    const clean = { ...env, HOME: home, XDG_CACHE_HOME: `${home}/cache`, TMPDIR: home };
    const cold = await timed(compiled, ["--version"], { env: clean });
    await timed(compiled, ["--version"], { env });
    return {
      cold,
      ways: {
        "executable, --version": () => timed(compiled, ["--version"], { env }),
        "executable, put of an empty file": () =>
          timed(compiled, ["put", "-q", empty, "/home/empty"], { env }),
      },
    };
  } finally {
    await removeFolder(home);
  }
}
