/** Checks the nodes of a cluster as they report themselves: their versions, and whether they reach the bucket. */
import { SharedNodes } from "../shared/nodes/nodes.ts";
import type { NodeStatus } from "../watch/nodes.ts";
import type { Verdict } from "./finding.ts";
import type { SharedSetup } from "./setup.ts";

type Node = Pick<NodeStatus, "name" | "state" | "version" | "bucket">;

/** Returns verdicts on the nodes in the list. @throws {BargeError} `unavailable` */
export async function checkNodes({ storage, version }: SharedSetup): Promise<Verdict[]> {
  const { nodes } = await new SharedNodes(storage.parts.db).list();
  return judgeNodes(nodes, version);
}

/** Judges the nodes. @param version that of this program */
export function judgeNodes(nodes: readonly Node[], version: string): Verdict[] {
  const alive = nodes.filter(({ state }) => state !== "gone");
  const namesOf = (some: readonly Node[]) => some.map(({ name }) => name).join(", ");
  const verdicts: Verdict[] = [];
  const gone = nodes.filter(({ state }) => state === "gone");
  if (gone.length > 0) {
    const message = `These nodes have not reported for a while, and did not stop in order: ${
      namesOf(gone)
    }.`;
    const advice =
      "Look at their logs and start them again; a dead node leaves the list after an hour.";
    verdicts.push({ severity: "warn", message, advice });
  }
  const cut = alive.filter(({ bucket }) => !bucket);
  if (cut.length > 0) {
    const message = `These nodes do not reach the bucket: ${namesOf(cut)}.`;
    verdicts.push({ severity: "bad", message, advice: "Their logs have the reason." });
  }
  const versions = [...new Set(alive.map((node) => node.version))].sort();
  if (versions.length > 1) {
    const message = `The nodes have different versions of barge: ${versions.join(", ")}.`;
    verdicts.push({ severity: "warn", message, advice: "Upgrade the others: docs/upgrade.md." });
  } else if (versions.length === 1 && versions[0] !== version) {
    const message = `The nodes are barge ${versions[0]}, and this program is barge ${version}.`;
    verdicts.push({ severity: "note", message });
  }
  if (alive.length === 0) verdicts.push({ severity: "note", message: "No node runs." });
  if (verdicts.length > 0) return verdicts;
  const count = alive.length === 1 ? "One node runs" : `${alive.length} nodes run`;
  return [{ severity: "ok", message: `${count}, of one version, and with the bucket.` }];
}
