/** Contests `big` and `tree`: one large file, and a tree of small files, by one client. */
import type { Contest, Entry } from "../peers/contest.ts";
import { assertSame } from "../peers/workspace.ts";
import { cpuColumns, measure, type Setting } from "./setting.ts";
import {
  bareClient,
  bareWay,
  bargeWay,
  type Kind,
  oneMachine,
  oneNode,
  rcloneWay,
  relayWay,
  type Way,
} from "./ways.ts";

/** @returns the contest up, then the contest down, of the uploads' last files */
export function* transfers(setting: Setting, kind: Kind, what: string): Generator<Contest> {
  const { workspace, engines, storage: { bucket }, machine, nodes, relay } = setting;
  const { source, tools: { rclone } } = workspace;
  const path = kind === "file" ? `${source}/large` : `${source}/tree`;
  const ways = [
    bargeWay(oneMachine, machine),
    bargeWay(oneNode, nodes[0]),
    rclone ? rcloneWay(rclone, engines, bucket) : undefined,
    bareWay(engines, bucket),
    kind === "file" ? relay : undefined,
  ].filter((way) => way !== undefined);
  const common = {
    unit: "s",
    better: "less",
    bases: kind === "file" ? [oneMachine, bareClient, relayWay] : [oneMachine, bareClient],
    columns: cpuColumns(engines),
  } as const;
  const nameOf = (round: number) => `${kind}-${round}`;
  /** The round of each way's last upload. */
  const last = new Map<Way, number>();
  yield {
    ...common,
    title: `${what}, up`,
    entries: ways.map((way): Entry => ({
      ...way,
      run: async (round) => {
        const up = () => way.up(kind, path, nameOf(round));
        const sample = await measure(engines, way.nodes, up);
        last.set(way, round);
        return sample;
      },
    })),
  };
  yield {
    ...common,
    title: `${what}, down`,
    entries: ways.map((way): Entry => ({
      ...way,
      run: async (round) => {
        const fresh = await workspace.fresh();
        const back = kind === "file" ? `${fresh}/back` : fresh;
        const down = () => way.down(kind, nameOf(last.get(way)!), back);
        const sample = await measure(engines, way.nodes, down);
        await assertSame(path, back, round === 0);
        return sample;
      },
    })),
  };
}
