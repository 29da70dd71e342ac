/** `barge status`: how a server is. */
import { setTimeout as sleep } from "node:timers/promises";
import { status } from "../core/client/status.ts";
import { BargeError } from "../core/error.ts";
import { printStatus } from "./_status/print.ts";
import { command } from "./_term/command.ts";
import { common, value } from "./_term/options.ts";
import { print, printJson, terminal, writeStdout } from "./_term/out.ts";
import { count } from "./_term/value.ts";
import { openSession, sessionOptions } from "./_client/session.ts";

/** Back to the upper left corner, and away with what was there. */
const clear = new TextEncoder().encode("\x1b[H\x1b[2J");

export default command({
  options: {
    ...sessionOptions,
    watch: value(
      ["--watch", "-w"],
      count("SECONDS", 1, 86_400),
      "Ask again every so many seconds, until Ctrl-C, and show what moves in between",
    ),
    ...common,
  },
  usage: "",
  about:
    `Shows how a server is, to its admins: what its workers have done since it started, how long
    requests take, what is staged, and who is connected. Counts are of all workers together, and
    none goes back when one of them dies. Failed requests are counted whatever the reason was.

    With --json, one object: \`version, started, now, workers, restarts, memory, connections, doors,
    logins, bans, overQuota, accounts, uploads, requests, sessions\`; PROTOCOL.md, "Status", says what
    they are. At most 1000 sessions are listed, those with a request under way first.`,
  examples: [
    ["barge status", "how it is now"],
    ["barge status --watch 2", "what goes on"],
    ["barge status --json | jq .uploads.staged", "bytes that unfinished uploads take"],
  ],
  async run({ watch, json, ...choice }, { signal }) {
    await using session = await openSession(choice, signal);
    let now = await status(session.client);
    if (json) printJson(now);
    else printStatus(now);
    while (watch !== undefined) {
      await pause(watch * 1000, signal);
      const before = now;
      now = await status(session.client);
      if (json) {
        printJson(now);
        continue;
      }
      if (terminal.stdout) writeStdout(clear);
      else print(""); // parts the rounds
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
