/** The state of all nodes that share a storage, from its database: no node is asked. */
import { formatDuration } from "../../core/duration.ts";
import type { RequestStats, Server } from "../../core/protocol/message.ts";
import { AcmeSecrets } from "../../core/shared/acme_secrets.ts";
import type { SharedStorage } from "../../core/shared/storage.ts";
import { SharedNodes } from "../../core/shared/nodes/nodes.ts";
import { type NodeFields, nodeFields } from "../../core/session/node_fields.ts";
import { requestFields, serverFields } from "../../core/session/status_fields.ts";
import { formatSize } from "../../core/size.ts";
import { readRenewal } from "../../core/storage/acme.ts";
import { type NodeReport, stateText, sumNodes } from "../../core/watch/nodes.ts";
import { print } from "../_term/out.ts";
import { printTable } from "../_term/table.ts";
import { printRequests, printSummary, since } from "./print.ts";

/** The sums over all nodes that are not gone, with the fields of one server's status; and the nodes. */
export interface ClusterStatus extends Server {
  /** Bytes of files a second, now. */
  readonly rates: NodeReport["rates"];
  readonly nodes: readonly NodeFields[];
  readonly requests: readonly RequestStats[];
}

/** @throws {BargeError} `unavailable` where the database does not answer */
export async function clusterStatus(storage: SharedStorage): Promise<ClusterStatus> {
  const { nodes, now } = await new SharedNodes(storage.parts.db).list();
  const { counts, memory, rates } = sumNodes(nodes);
  const totals = await storage.people.accounts.totals();
  const versions = new Set(
    nodes.filter(({ state }) => state !== "gone").map(({ version }) => version),
  );
  const renewal = await readRenewal(new AcmeSecrets(storage.parts));
  const until = renewal?.until === undefined ? undefined : Date.parse(renewal.until);
  const certificate = renewal && { until, renewal };
  const version = [...versions].join(", ");
  const snapshot = { ...counts, ...totals, version, now, memory, certificate };
  return {
    ...serverFields(snapshot),
    rates,
    nodes: nodes.map(nodeFields),
    requests: counts.requests.map(requestFields),
  };
}

/** @param before an earlier status, to print rates since then */
export function printCluster(now: ClusterStatus, before?: ClusterStatus): void {
  printTable(
    ["NODE", "STATE", "VERSION", "UP", "OPEN", "BUSY", "IN", "OUT", "RECEIVED", "SENT", "DOORS"],
    [...now.nodes.map((node) => nodeRow(node, now.now)), sumRow(now)],
    [4, 5, 6, 7, 8, 9],
  );
  print("");
  const running = now.nodes.filter(({ state }) => state !== "gone").length;
  const versions = now.version && `, barge ${now.version}`;
  printSummary(["nodes", `${running} of ${now.nodes.length}${versions}`], now, before);
  printRequests(now);
}

function nodeRow(node: NodeFields, now: string): string[] {
  const { name, version, started, seen, connections, rates, addresses } = node;
  const doors = Object.entries(addresses).map(([door, address]) => `${door} ${address}`).join(", ");
  if (node.state === "gone") {
    const state = `gone ${formatDuration(since(seen, now))}`;
    return [name, state, version, "-", "-", "-", "-", "-", "-", "-", doors];
  }
  return [
    name,
    stateText(node),
    version,
    formatDuration(since(started, now)),
    ...numbers(connections, rates, node),
    doors,
  ];
}

function sumRow({ nodes, rates, doors, connections: { open } }: ClusterStatus): string[] {
  const sum = (of: "received" | "sent") => doors.reduce((total, door) => total + door[of], 0);
  const running = nodes.filter(({ state }) => state !== "gone");
  const busy = running.reduce((total, { connections }) => total + connections.busy, 0);
  const moved = { received: sum("received"), sent: sum("sent") };
  return ["sum", "", "", "", ...numbers({ open, busy }, rates, moved), ""];
}

function numbers(
  { open, busy }: { readonly open: number; readonly busy: number },
  rates: NodeReport["rates"],
  moved: NodeReport["rates"],
): string[] {
  const { received, sent } = rates;
  return [
    String(open),
    String(busy),
    `${formatSize(received)}/s`,
    `${formatSize(sent)}/s`,
    formatSize(moved.received),
    formatSize(moved.sent),
  ];
}
