/** Requests a larger quota. */
import type { Usage } from "../protocol/message.ts";
import type { Client } from "./client.ts";

/**
 * @param limit the new quota in bytes
 * @throws {BargeError} `refused` above the server's limit
 */
export function grow(client: Client, limit: number): Promise<Usage> {
  return client.ask("grow", { limit });
}
