/** Gets the size, time and other properties of a remote file, folder or partial upload. */
import { BargeError } from "../error.ts";
import type { Answer, Entry } from "../protocol/message.ts";
import type { Client } from "./client.ts";

/** @throws {BargeError} `not-found` if there is neither a file, a folder, nor a partial upload */
export function stat(client: Client, path: string): Promise<Answer<"stat">> {
  return client.ask("stat", { path });
}

/** Returns the file or folder of a path, or null. */
export async function entryAt(client: Client, path: string): Promise<Entry | null> {
  try {
    return (await stat(client, path)).entry;
  } catch (error) {
    if (error instanceof BargeError && client.isAnswer(error) && isNotFound(error)) return null;
    throw error;
  }
}

/** Returns whether a failure means that the path does not exist. */
export function isNotFound(error: BargeError): boolean {
  return error.kind === "not-found" || error.kind === "no-directory";
}
