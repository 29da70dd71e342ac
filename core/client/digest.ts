/** Gets a remote file's digest. */
import type { Answer } from "../protocol/message.ts";
import type { Client } from "./client.ts";

export interface DigestOptions {
  readonly algorithm?: "sha256" | "md5";
  /** Compute it from the disk, even if one is stored. */
  readonly fresh?: boolean;
}

/** Long enough to hash a terabyte, during which the server sends nothing. */
const hashTimeoutMs = 3_600_000;

/** @throws {BargeError} `not-found`, `denied`; `digest` if the disk differs from the stored digest */
export function digest(
  client: Client,
  path: string,
  { algorithm = "sha256", fresh = false }: DigestOptions = {},
): Promise<Answer<"digest">> {
  return client.ask("digest", { path, algorithm, fresh }, hashTimeoutMs);
}
