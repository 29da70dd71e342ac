/** The API under /api/v1: what scripts and the page use. */
import { Hono } from "hono";
import type { HttpEnv } from "../exchange.ts";
import { accounts } from "./accounts.ts";
import { changes } from "./changes.ts";
import { files } from "./files.ts";
import { describe } from "./openapi.ts";
import { addOperations, json, type Operation, operation, root } from "./operation.ts";
import { own } from "./own_account.ts";
import { shares } from "./shares.ts";
import { uploads } from "./uploads.ts";

/** All of them: the router and the description are made of this. */
export const operations: readonly Operation[] = [
  ...files,
  ...uploads,
  ...changes,
  ...own,
  ...shares,
  ...accounts,
  operation({
    method: "GET",
    path: "/openapi.json",
    id: "description",
    summary: "This description",
    login: false,
    answers: { 200: { description: "OpenAPI 3.1", types: ["application/json"] } },
    handle: ({ door }) => json(description(door.front.prefix)),
  }),
];

export function api(): Hono<HttpEnv> {
  const app = new Hono<HttpEnv>();
  addOperations(app, operations);
  return app;
}

let described: object | undefined;

/** Made when it is first asked for. @param prefix what all URLs of the server begin with */
function description(prefix: string): object {
  described ??= describe(operations);
  return { ...described, servers: [{ url: prefix + root }] };
}
