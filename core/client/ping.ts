/** Asks whether the server is there. */
import type { Client } from "./client.ts";

/** @returns milliseconds that the answer took */
export async function ping(client: Client): Promise<number> {
  const start = performance.now();
  await client.ask("ping", {});
  return performance.now() - start;
}
