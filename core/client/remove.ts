/** Removes a remote file, an empty folder, or a whole one. */
import { type Client, diskPatience } from "./client.ts";

export interface RemoveOptions {
  /** A folder with all that is in it. */
  readonly recursive?: boolean;
}

/**
 * @returns how many files are gone
 * @throws {BargeError} `not-found`, `denied`; `exists` for a folder that is not empty
 */
export async function remove(
  client: Client,
  path: string,
  { recursive = false }: RemoveOptions = {},
): Promise<number> {
  return (await client.ask("remove", { path, recursive }, diskPatience)).removed;
}
