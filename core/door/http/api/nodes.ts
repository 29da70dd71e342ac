/** The nodes that share the storage, for admins. */
import { nodesFields } from "../../../session/node_fields.ts";
import { listNodes } from "../../../session/status.ts";
import { json, operation } from "./operation.ts";
import * as schemas from "./schemas.ts";

export const nodes = [
  operation("GET", "/nodes", {
    id: "nodes",
    verb: "status",
    summary: "List the nodes that share the storage, and their sums; none on one machine",
    answers: { 200: { description: "The nodes, by name", schema: schemas.nodes } },
    problems: { 403: "Only for admins" },
    handle: async ({ session }) =>
      json(nodesFields(await listNodes(session) ?? { nodes: [], now: Date.now() })),
  }),
];
