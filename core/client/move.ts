/** Moves a remote file or folder. */
import type { Overwrite } from "../protocol/message.ts";
import { type Client, diskTimeoutMs } from "./client.ts";

/**
 * @throws {BargeError} `not-found`, `no-directory`, `exists`, `denied`
 */
export async function move(
  client: Client,
  from: string,
  to: string,
  overwrite: Overwrite = "always",
): Promise<void> {
  await client.ask("move", { from, to, overwrite }, diskTimeoutMs);
}
