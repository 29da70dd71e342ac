/** `peers`: barge beside the peers that are installed; prints each contest when it ends. */
import { machine } from "../../core/bench/machine.ts";
import { kindOf, makePlace } from "../place.ts";
import { isConfinable, run } from "../program.ts";
import { makeWorkspace, type Workspace } from "./workspace.ts";
import { big } from "./big.ts";
import { type Contest, type Outcome, runContests } from "./contest.ts";
import { doors } from "./doors.ts";
import { echo } from "./echo.ts";
import { idle } from "./idle.ts";
import { many } from "./many.ts";
import { chosenParts, type ContestOptions, scaleOf } from "./options.ts";
import { requests } from "./requests.ts";
import { describeTools, findTools } from "./tools.ts";
import { tree } from "./tree.ts";

const parts: Readonly<Record<string, (workspace: Workspace) => AsyncGenerator<Contest>>> = {
  big,
  tree,
  many,
  idle,
  echo,
  doors,
  requests,
};
export const partNames = Object.keys(parts);

/** @returns all samples, for `--json` */
export async function benchPeers(options: ContestOptions): Promise<unknown> {
  const { report, print } = options;
  const scale = scaleOf(options);
  await using place = await makePlace(options.dir);
  const { dir } = place;
  const tools = await findTools();
  const started = new Date().toISOString();
  const version = (await run(["--version"])).stdout.trim();
  const described = [
    `${version}, ${started.slice(0, 10)}; ${machine()}; files on ${await kindOf(dir)}, in ${dir}.`,
    isConfinable(await Deno.realPath(dir))
      ? "barge's workers are confined to their ports and the data directory."
      : "barge's workers are NOT confined: the runtime can't do that below /dev.",
    ...await describeTools(tools),
    `Rounds: ${scale.rounds}, interleaved. "Of the best peer": the median over the best peer's.`,
  ];
  print(described.map((line) => `- ${line}`).join("\n"));
  const outcomes: Outcome[] = [];
  {
    report("making files");
    await using workspace = await makeWorkspace(dir, scale, tools);
    for (const [name, part] of chosenParts(parts, options)) {
      outcomes.push(...await runContests(part(workspace), scale.rounds, options));
      for (const note of workspace.notes.splice(0)) print(`\n- ${name}: ${note}`);
    }
  }
  return { schema: "barge-peers/1", started, scale, machine: described, outcomes };
}
