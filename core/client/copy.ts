/** Copies a remote file on the server. */
import type { Answer, Overwrite } from "../protocol/message.ts";
import { type Client, diskPatience } from "./client.ts";

/**
 * @param overwrite `always` where it is not given
 * @throws {BargeError} `not-found`, `no-directory`, `exists`, `over-quota`, `denied`
 */
export function copy(
  client: Client,
  from: string,
  to: string,
  overwrite: Overwrite = "always",
): Promise<Answer<"copy">> {
  return client.ask("copy", { from, to, overwrite }, diskPatience);
}
