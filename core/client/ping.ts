/** Measures a round trip to the server. */
import type { Client } from "./client.ts";

/** @returns milliseconds until the answer */
export async function ping(client: Client): Promise<number> {
  const start = performance.now();
  await client.ask("ping", {});
  return performance.now() - start;
}
