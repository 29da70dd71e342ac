/** Gets and raises the account's quota. */
import type { Usage } from "../protocol/message.ts";
import type { Client } from "./client.ts";

/** @returns bytes; `limit` and `left` are null for an account without a limit */
export function quota(client: Client): Promise<Usage> {
  return client.ask("quota", {});
}

/**
 * Requests a larger quota.
 *
 * @param limit the new quota in bytes
 * @throws {BargeError} `refused` above the server's limit
 */
export function grow(client: Client, limit: number): Promise<Usage> {
  return client.ask("grow", { limit });
}
