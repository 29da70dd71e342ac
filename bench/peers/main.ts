/** barge beside its peers, those that are here: contests in parts, printed as they end. */
import { dirname } from "node:path";
import { machine } from "../../core/bench/machine.ts";
import { makeFolder, mountMemory, removeFolder, unmount } from "../leftovers.ts";
import { isConfinable, run } from "../program.ts";
import { type Bed, full, makeBed, quick, type Scale } from "./bed.ts";
import { big } from "./big.ts";
import { type Contest, hold, type Outcome, outcomeTable } from "./contest.ts";
import { doors } from "./doors.ts";
import { echo } from "./echo.ts";
import { idle } from "./idle.ts";
import { many } from "./many.ts";
import { requests } from "./requests.ts";
import { describeTools, findTools } from "./tools.ts";
import { tree } from "./tree.ts";

const parts: Readonly<Record<string, (bed: Bed) => AsyncGenerator<Contest>>> = {
  big,
  tree,
  many,
  idle,
  echo,
  doors,
  requests,
};
export const partNames = Object.keys(parts);

export interface PeersOptions {
  readonly quick: boolean;
  readonly only: readonly string[];
  readonly rounds: number | undefined;
  /** Bytes of the large file. */
  readonly size: number | undefined;
  readonly dir: string | undefined;
  /** Called with progress. */
  readonly tell: (text: string) => void;
  /** Called with what is ready to be printed. */
  readonly print: (text: string) => void;
}

/** @returns all that was measured, for `--json` */
export async function benchPeers(options: PeersOptions): Promise<unknown> {
  const { only, tell, print } = options;
  const scale: Scale = {
    ...options.quick ? quick : full,
    ...options.rounds === undefined ? {} : { rounds: options.rounds },
    ...options.size === undefined ? {} : { large: options.size },
  };
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
    `Rounds: ${scale.rounds}, interleaved. "Of the best peer": the median as a multiple of its.`,
  ];
  print(described.map((line) => `- ${line}`).join("\n"));
  const outcomes: Outcome[] = [];
  {
    tell("making files");
    await using bed = await makeBed(dir, scale, tools);
    for (const [name, part] of Object.entries(parts)) {
      if (only.length > 0 && !only.includes(name)) continue;
      for await (const contest of part(bed)) {
        const outcome = await hold(contest, scale.rounds, tell);
        outcomes.push(outcome);
        print("\n" + outcomeTable(outcome));
      }
      for (const note of bed.notes.splice(0)) print(`\n- ${name}: ${note}`);
    }
  }
  return { schema: "barge-peers/1", started, scale, machine: described, outcomes };
}

/** Where the files are put; it goes with the benchmark, if that made it. */
interface Place extends AsyncDisposable {
  readonly dir: string;
}

/**
 * In memory, if nothing else is asked for: what is measured is then the programs, and not the disk. A
 * tmpfs of its own, which root may mount, is outside /dev: below that the workers of barge can't be
 * confined.
 */
async function makePlace(asked: string | undefined): Promise<Place> {
  const none = { [Symbol.asyncDispose]: () => Promise.resolve() };
  if (asked !== undefined) return { dir: asked, ...none };
  const dir = await makeFolder("barge-peers-memory-");
  if (await mountMemory(dir)) {
    return {
      dir,
      async [Symbol.asyncDispose]() {
        await unmount(dir);
        await removeFolder(dir);
      },
    };
  }
  await removeFolder(dir);
  return { dir: isFolder("/dev/shm") ? "/dev/shm" : dirname(dir), ...none };
}

function isFolder(path: string): boolean {
  try {
    return Deno.statSync(path).isDirectory;
  } catch {
    return false;
  }
}

/** The file system that a folder is on. */
async function kindOf(dir: string): Promise<string> {
  const path = await Deno.realPath(dir);
  const mounts = (await Deno.readTextFile("/proc/mounts").catch(() => "")).split("\n")
    .map((line) => line.split(" "))
    .filter(([, at]) => at && (at === "/" || path === at || path.startsWith(`${at}/`)))
    .sort(([, a], [, b]) => b.length - a.length);
  return mounts[0]?.[2] ?? "a disk";
}
