/** Makes a folder at a server for `barge mkdir` and the shell. */
import { mkdir } from "../../core/client/change.ts";
import type { Client } from "../../core/client/client.ts";
import { BargeError } from "../../core/error.ts";

/**
 * Makes a folder.
 *
 * @param parents whether missing folders above it are made, too, and an existing folder is no error
 * @returns whether the folder is new
 * @throws {BargeError} as `mkdir`; `no-directory` with a hint at -p
 */
export async function makeFolder(client: Client, path: string, parents: boolean): Promise<boolean> {
  try {
    return await mkdir(client, path, { parents });
  } catch (error) {
    if (parents || !(error instanceof BargeError) || error.kind !== "no-directory") throw error;
    throw error.replacing({ hint: "use -p to make the folders above it, too" });
  }
}
