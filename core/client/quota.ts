/** Gets the account's quota and used bytes. */
import type { Usage } from "../protocol/message.ts";
import type { Client } from "./client.ts";

/** @returns bytes; `limit` and `left` are null for an account without a limit */
export function quota(client: Client): Promise<Usage> {
  return client.ask("quota", {});
}
