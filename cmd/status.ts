/** `barge status`: shows the state of a server. */
import { setTimeout as sleep } from "node:timers/promises";
import { status } from "../core/client/status.ts";
import { BargeError } from "../core/error.ts";
import { printStatus } from "./_status/print.ts";
import { value } from "./_term/command.ts";
import { print, printJson, terminal, writeStdout } from "./_term/out.ts";
import { count } from "./_term/value.ts";
import { sessionCommand } from "./_client/session.ts";

/** Moves the cursor to the upper left corner, and clears the terminal. */
const clear = new TextEncoder().encode("\x1b[H\x1b[2J");

export default sessionCommand({
  options: {
    watch: value(
      count("SECONDS", 1, 86_400),
      "Repeat at this interval until Ctrl-C, and show the rates in between",
      "-w",
    ),
  },
  about: `Shows the state of a server to its admins: traffic, logins and requests since the server
    started, the latencies of requests, the bytes of unfinished uploads (staged), and connections.
    Counts are sums over all workers, also of those that have died. FAILED counts requests that ended
    with an error of any kind.

    With --json, one object: \`version, started, now, workers, restarts, memory, connections, doors,
    logins, bans, overQuota, accounts, uploads, requests, sessions\`; PROTOCOL.md, "Status", defines
    them. At most 1000 sessions are listed, those with a request under way first.`,
  examples: [
    ["barge status", "show the current state"],
    ["barge status --watch 2", "show it every two seconds, with rates"],
    ["barge status --json | jq .uploads.staged", "print the bytes of unfinished uploads"],
  ],
  async run({ watch, json }, { client }, { signal }) {
    let now = await status(client);
    if (json) printJson(now);
    else printStatus(now);
    while (watch !== undefined) {
      await pause(watch * 1000, signal);
      const before = now;
      now = await status(client);
      if (json) {
        printJson(now);
        continue;
      }
      if (terminal.stdout) writeStdout(clear);
      else print("");
      printStatus(now, before);
    }
  },
});

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await sleep(ms, undefined, { signal });
  } catch {
    throw new BargeError("interrupted", "interrupted");
  }
}
