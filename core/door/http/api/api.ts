/** The API under /api/v1, for scripts and the page. */
import { Hono } from "hono";
import type { HttpEnv } from "../exchange.ts";
import { accounts } from "./accounts.ts";
import { audit } from "./audit.ts";
import { changes } from "./changes.ts";
import { files } from "./files.ts";
import { describe } from "./openapi.ts";
import { addOperations, json, type Operation, operation, root } from "./operation.ts";
import { nodes } from "./nodes.ts";
import { ownAccount } from "./own_account.ts";
import { secondFactor } from "./totp.ts";
import { shares } from "./shares.ts";
import { uploads } from "./uploads.ts";

/** All operations; the router and the description are made of them. */
export const operations: readonly Operation[] = [
  ...files,
  ...uploads,
  ...changes,
  ...ownAccount,
  ...secondFactor,
  ...shares,
  ...accounts,
  ...nodes,
  ...audit,
  operation("GET", "/openapi.json", {
    id: "description",
    summary: "Get this description",
    login: false,
    answers: { 200: { description: "OpenAPI 3.1", types: ["application/json"] } },
    handle: ({ door }) => json(description(door.proxy.prefix)),
  }),
];

export function api(): Hono<HttpEnv> {
  const app = new Hono<HttpEnv>();
  addOperations(app, operations);
  return app;
}

let cached: object | undefined;

/** Returns the description, made at the first call. @param prefix the start of the server's URLs */
function description(prefix: string): object {
  cached ??= describe(operations);
  return { ...cached, servers: [{ url: prefix + root }] };
}
