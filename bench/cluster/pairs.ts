/** Contest `pairs`: two clients at once, each with an account of its own, at one node and at two. */
import type { Contest, Entry } from "../peers/contest.ts";
import { capture } from "../peers/process.ts";
import { assertSame } from "../peers/workspace.ts";
import { addAccount } from "../program.ts";
import { cpuColumns, logInOther, measure, type Setting } from "./setting.ts";
import { accounts } from "./storage.ts";
import { bargeWay, type Kind, oneMachine, oneNode, twoNodes, type Way } from "./ways.ts";

/** Two clients. */
interface Pair {
  readonly name: string;
  readonly ways: readonly [Way, Way];
}

export async function* pairs(setting: Setting): AsyncGenerator<Contest> {
  const { workspace, engines, machine, nodes: [a, b] } = setting;
  const { source, work, scale } = workspace;
  await addAccount(["--data", `${machine.folder}/data`], accounts[1]);
  const pair = async (name: string, first: typeof a, second: typeof a): Promise<Pair> => ({
    name,
    ways: [
      bargeWay(name, first),
      bargeWay(name, second, { env: await logInOther(second) }),
    ],
  });
  const all = [
    await pair(oneMachine, machine, machine),
    await pair(oneNode, a, a),
    await pair(twoNodes, a, b),
  ];
  await split(`${source}/large`, `${work}/part`);
  await splitTree(`${source}/tree`, `${work}/half`);
  const halves: Record<Kind, readonly string[]> = {
    file: [0, 1].map((i) => `${work}/part${i}`),
    tree: [0, 1].map((i) => `${work}/half${i}`),
  };
  const half = (number: number) => (number / 2).toLocaleString("en-US");
  yield* contests("file", `Two clients, each a file of ${half(scale.large / 2 ** 20)} MiB`);
  const files = scale.folders * scale.filesPerFolder;
  yield* contests("tree", `Two clients, each ${half(files)} files of 4 KiB`);

  function* contests(kind: Kind, what: string): Generator<Contest> {
    const common = {
      unit: "s",
      better: "less",
      bases: [oneMachine, oneNode],
      columns: cpuColumns(engines),
    } as const;
    const both = ({ ways }: Pair, run: (way: Way, client: number) => Promise<number>) => {
      const pids = [...new Set(ways.flatMap(({ nodes }) => nodes.pids))];
      return measure(engines, { pids }, async () => Math.max(...await Promise.all(ways.map(run))));
    };
    /** The round of each pair's last upload. */
    const last = new Map<Pair, number>();
    const nameOf = ({ name }: Pair, round: number) => `${name.replace(" ", "-")}-${kind}-${round}`;
    yield {
      ...common,
      title: `${what}, up`,
      entries: all.map((pair): Entry => ({
        name: pair.name,
        kind: "ours",
        async run(round) {
          const sample = await both(
            pair,
            (way, client) => way.up(kind, halves[kind][client], nameOf(pair, round)),
          );
          last.set(pair, round);
          return sample;
        },
      })),
    };
    yield {
      ...common,
      title: `${what}, down`,
      entries: all.map((pair): Entry => ({
        name: pair.name,
        kind: "ours",
        async run(round) {
          const back = await workspace.fresh();
          const name = nameOf(pair, last.get(pair)!);
          const sample = await both(
            pair,
            (way, client) => way.down(kind, name, `${back}/${client}`),
          );
          for (const client of [0, 1]) {
            await assertSame(halves[kind][client], `${back}/${client}`, round === 0);
          }
          return sample;
        },
      })),
    };
  }
}

/** Writes the halves of a file to `to` with 0 and 1 at the end. */
async function split(path: string, to: string): Promise<void> {
  const { success, stderr } = await capture("split", ["-n", "2", "-d", "-a", "1", path, to]);
  if (!success) throw new Error(stderr);
}

/** Links the halves of a tree's folders to `to` with 0 and 1 at the end. */
async function splitTree(path: string, to: string): Promise<void> {
  const folders = Array.from(Deno.readDirSync(path), ({ name }) => name);
  for (const client of [0, 1]) {
    await Deno.mkdir(`${to}${client}`);
    const mine = folders.filter((_, i) => i % 2 === client).map((name) => `${path}/${name}`);
    const { success, stderr } = await capture("cp", ["-al", ...mine, `${to}${client}`]);
    if (!success) throw new Error(stderr);
  }
}
