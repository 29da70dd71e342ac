/** Makes a remote folder. */
import type { Client } from "./client.ts";

export interface MkdirOptions {
  /** Make the folders above it as well; an existing folder is then no failure. */
  readonly parents?: boolean;
  readonly modified?: Date;
}

/**
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
