/** Makes, moves, copies and removes remote files and folders. */
import type { Answer, Overwrite } from "../protocol/message.ts";
import { type Client, diskTimeoutMs } from "./client.ts";

export interface MkdirOptions {
  /** Make the folders above it as well; an existing folder is then no failure. */
  readonly parents?: boolean;
  readonly modified?: Date;
}

/**
 * Makes a folder.
 *
 * @returns false if the folder existed
 * @throws {BargeError} `exists`, `no-directory`, `denied`
 */
export async function mkdir(
  client: Client,
  path: string,
  { parents = false, modified }: MkdirOptions = {},
): Promise<boolean> {
  const answer = await client.ask("mkdir", { path, parents, modified: modified?.toISOString() });
  return answer.created;
}

/**
 * Moves a file or folder.
 *
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

/**
 * Copies a file on the server.
 *
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

export interface RemoveOptions {
  /** Remove a folder with its contents. */
  readonly recursive?: boolean;
}

/**
 * Removes a file or folder.
 *
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
