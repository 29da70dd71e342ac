/** Asks for a remote file's digest. */
import type { Answer } from "../protocol/message.ts";
import type { Client } from "./client.ts";

export interface DigestOptions {
  readonly algorithm?: "sha256" | "md5";
  /** Read the disk again instead of trusting what is stored. */
  readonly fresh?: boolean;
}

/** Milliseconds: reading a terabyte takes its time, and not a byte comes meanwhile. */
const wait = 3_600_000;

/** @throws {BargeError} `not-found`, `denied`; `digest` when the disk is not what was stored */
export function digest(
  client: Client,
  path: string,
  { algorithm = "sha256", fresh = false }: DigestOptions = {},
): Promise<Answer<"digest">> {
  return client.ask("digest", { path, algorithm, fresh }, wait);
}
