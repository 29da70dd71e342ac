/** Makes a remote folder. */
import type { Client } from "./client.ts";

export interface MkdirOptions {
  /** Also those above it; a folder that is there is then no failure. */
  readonly parents?: boolean;
  readonly modified?: Date;
}

/**
 * @returns whether it was made, or was there
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
