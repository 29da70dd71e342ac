/** Asks for a larger quota. */
import type { Usage } from "../protocol/message.ts";
import type { Client } from "./client.ts";

/**
 * @param limit bytes in all, not in addition
 * @throws {BargeError} `refused` above what the server gives
 */
export function grow(client: Client, limit: number): Promise<Usage> {
  return client.ask("grow", { limit });
}
