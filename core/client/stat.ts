/** Asks what a remote name is. */
import { BargeError } from "../error.ts";
import type { Answer, Entry } from "../protocol/message.ts";
import type { Client } from "./client.ts";

/** @throws {BargeError} `not-found` when there is neither a file, a folder, nor an upload */
export function stat(client: Client, path: string): Promise<Answer<"stat">> {
  return client.ask("stat", { path });
}

/** What is there, or null: for whoever has to choose a name. */
export async function entryAt(client: Client, path: string): Promise<Entry | null> {
  try {
    return (await stat(client, path)).entry;
  } catch (error) {
    if (error instanceof BargeError && client.told(error) && absent(error)) return null;
    throw error;
  }
}

/** Does this failure say that nothing of that name is there? */
export function absent(error: BargeError): boolean {
  return error.kind === "not-found" || error.kind === "no-directory";
}
