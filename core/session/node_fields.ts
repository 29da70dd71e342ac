/** The nodes that share a storage, as `barge status --json` and the API show them. The fields are frozen. */
import {
  type NodeReport,
  type NodeStatus,
  type NodeSums,
  sumDoors,
  sumNodes,
} from "../watch/nodes.ts";
import type { NodeTable } from "./status.ts";
import { time } from "./status_fields.ts";

/** A node in the answer. */
export type NodeFields = ReturnType<typeof nodeFields>;

/** Returns a node in the format of the answer. */
export function nodeFields(node: NodeStatus) {
  const { id, name, state, bucket, version, doors, started, seen } = node;
  return {
    id,
    name,
    state,
    bucket,
    version,
    addresses: doors,
    started: time(started),
    seen: time(seen),
    ...reportFields(node),
  };
}

/** Returns all nodes, and the sums over those that are not gone, in the format of the answer. */
export function nodesFields({ nodes, now }: NodeTable) {
  const sums: NodeSums = sumNodes(nodes);
  return {
    now: time(now),
    nodes: nodes.map(nodeFields),
    sum: { nodes: sums.nodes, ...reportFields(sums) },
  };
}

function reportFields({ counts, memory, rates }: NodeReport) {
  const { open, busy, opened, refused, received, sent } = sumDoors(counts);
  return {
    workers: counts.workers,
    restarts: counts.restarts,
    memory,
    connections: { open, busy, opened, refused },
    received,
    sent,
    rates,
    logins: counts.logins,
  };
}
