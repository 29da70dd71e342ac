/**
 * `cluster`: storage that many machines share, on PostgreSQL and an S3 store, beside one machine, rclone and
 * aws4fetch alone.
 */
import { machine } from "../../core/bench/machine.ts";
import { kindOf, makePlace } from "../place.ts";
import { run } from "../program.ts";
import { type Contest, type Outcome, runContests } from "../peers/contest.ts";
import { chosenParts, type ContestOptions, scaleOf } from "../peers/options.ts";
import { findTools } from "../peers/tools.ts";
import { makeWorkspace } from "../peers/workspace.ts";
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
/** The number of rounds unless the options name one or are quick: a round takes minutes. */
const fullRounds = 3;
export const clusterPartNames = Object.keys(parts);

/** @returns all samples, for `--json` */
export async function benchCluster(options: ContestOptions): Promise<unknown> {
  const { report, print } = options;
  const scale = scaleOf(options, fullRounds);
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
  for (const [, part] of chosenParts(parts, options)) {
    outcomes.push(...await runContests(part(setting), scale.rounds, options));
  }
  return { schema: "barge-cluster/1", scale, outcomes };
}
