/**
 * `cluster`: storage that many machines share, on PostgreSQL and an S3 store, beside one machine, rclone and
 * aws4fetch alone.
 */
import { machine } from "../../core/bench/machine.ts";
import { kindOf, makePlace } from "../place.ts";
import { run } from "../program.ts";
import { type Contest, type Outcome, outcomeTable, runContest } from "../peers/contest.ts";
import { findTools } from "../peers/tools.ts";
import { full, makeWorkspace, quick, type Scale } from "../peers/workspace.ts";
import { findEngines } from "./engines.ts";
import { many } from "./many.ts";
import { pairs } from "./pairs.ts";
import { type Setting, startServers } from "./setting.ts";
import { makeStorage } from "./storage.ts";
import { transfers } from "./transfers.ts";

const parts: Readonly<
  Record<string, (setting: Setting) => AsyncGenerator<Contest> | Generator<Contest>>
> = {
  big: (setting) => {
    const size = (setting.workspace.scale.large / 2 ** 20).toLocaleString("en-US");
    return transfers(setting, "file", `One file of ${size} MiB`);
  },
  tree: (setting) => {
    const { folders, filesPerFolder } = setting.workspace.scale;
    const files = (folders * filesPerFolder).toLocaleString("en-US");
    return transfers(setting, "tree", `${files} files of 4 KiB in ${folders} folders`);
  },
  many,
  pairs,
};
export const clusterPartNames = Object.keys(parts);

export interface ClusterOptions {
  readonly quick: boolean;
  readonly only: readonly string[];
  readonly rounds: number | undefined;
  /** Bytes of the large file. */
  readonly size: number | undefined;
  readonly dir: string | undefined;
  /** Called with progress. */
  readonly report: (text: string) => void;
  /** Called with each finished table. */
  readonly print: (text: string) => void;
}

/** @returns all samples, for `--json` */
export async function benchCluster(options: ClusterOptions): Promise<unknown> {
  const { only, report, print } = options;
  const scale: Scale = {
    ...options.quick ? quick : full,
    rounds: options.rounds ?? (options.quick ? quick.rounds : 3),
    ...options.size === undefined ? {} : { large: options.size },
  };
  const outcomes: Outcome[] = [];
  const version = (await run(["--version"])).stdout.trim();
  await using stack = new AsyncDisposableStack();
  const { dir } = stack.use(await makePlace(options.dir));
  report("starting the engines");
  const engines = stack.use(await findEngines(options.dir));
  report("making files");
  const workspace = stack.use(await makeWorkspace(dir, scale, await findTools()));
  const storage = stack.use(await makeStorage(engines, dir));
  const setting = await startServers({ workspace, engines, storage }, stack);
  const owner = Object.keys(engines.processes).length > 0 ? "started here" : "of the environment";
  print([
    `- ${version}; ${new Date().toISOString().slice(0, 10)}; ${machine()}`,
    `- files on ${await kindOf(dir)}; engines ${owner}; rounds: ${scale.rounds}, interleaved`,
  ].join("\n"));
  for (const [name, part] of Object.entries(parts)) {
    if (only.length > 0 && !only.includes(name)) continue;
    for await (const contest of part(setting)) {
      const outcome = await runContest(contest, scale.rounds, report);
      outcomes.push(outcome);
      print("\n" + outcomeTable(outcome));
    }
  }
  return { schema: "barge-cluster/1", scale, outcomes };
}
