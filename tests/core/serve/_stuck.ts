/** Logs more than a pipe holds while its reader is stuck; then waits for input, and logs more. */
import { getLogger } from "@logtape/logtape";
import { configureLog } from "../../../core/serve/log.ts";

configureLog();
const log = getLogger(["barge", "serve"]);
for (let i = 0; i < 100; i++) log.warn("{i} {text}", { i, text: "x".repeat(2000) });
Deno.stdout.writeSync(new TextEncoder().encode("alive\n"));
Deno.stdin.readSync(new Uint8Array(1));
// The reader has begun, and may not have finished.
for (let i = 0; i < 40; i++) {
  log.warn("the last");
  await new Promise((resolve) => setTimeout(resolve, 50));
}
