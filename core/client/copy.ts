/** Copies a remote file on the server. */
import type { Answer, Overwrite } from "../protocol/message.ts";
import { type Client, diskTimeoutMs } from "./client.ts";

/**
 * @throws {BargeError} `not-found`, `no-directory`, `exists`, `over-quota`, `denied`
 */
export function copy(
  client: Client,
  from: string,
  to: string,
  overwrite: Overwrite = "always",
): Promise<Answer<"copy">> {
  return client.ask("copy", { from, to, overwrite }, diskTimeoutMs);
}
