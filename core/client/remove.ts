/** Removes a remote file or folder. */
import { type Client, diskTimeoutMs } from "./client.ts";

export interface RemoveOptions {
  /** Remove a folder with its contents. */
  readonly recursive?: boolean;
}

/**
 * @returns the number of removed files
 * @throws {BargeError} `not-found`, `denied`; `exists` for a folder that is not empty
 */
export async function remove(
  client: Client,
  path: string,
  { recursive = false }: RemoveOptions = {},
): Promise<number> {
  return (await client.ask("remove", { path, recursive }, diskTimeoutMs)).removed;
}
