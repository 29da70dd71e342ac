/** `barge status`: shows the state of a server, or of all nodes that share a storage. */
import { setTimeout as sleep } from "node:timers/promises";
import { status } from "../core/client/status.ts";
import { BargeError } from "../core/error.ts";
import { openSession, sessionOptions } from "./_client/session.ts";
import { storageOptions, type StorageValues } from "./_data/storage_options.ts";
import { printStatus } from "./_status/print.ts";
import { command, isOnLine, value } from "./_term/command.ts";
import { print, printJson, terminal, writeStdout } from "./_term/out.ts";
import { count } from "./_term/value.ts";

/** Moves the cursor to the upper left corner, and clears the terminal. */
const clear = new TextEncoder().encode("\x1b[H\x1b[2J");

export default command({
  options: {
    watch: value(
      count("SECONDS", 1, 86_400),
      "Repeat at this interval until Ctrl-C, and show the rates in between",
      "-w",
    ),
    ...sessionOptions,
    ...storageOptions,
  },
  about: `Shows the state of a server to its admins: traffic, logins and requests since the server
    started, the latencies of requests, the bytes reserved for unfinished uploads, and connections.
    Counts are sums over all workers, also of those that have died. FAILED counts requests that ended
    with an error of any kind.

    With --store and --bucket: shows every node that shares the storage, and the sums over all nodes
    that run. Nodes report every 5 seconds. UP is the time since a node's start; OPEN counts its
    connections, BUSY those with a request under way; IN and OUT are its current rates. A node that
    died is shown as gone for an hour. No node is asked, and no login is needed. --server asks one
    server, also where the storage is in the environment.

    With --json, one object: \`version, started, now, workers, restarts, memory, connections, doors,
    logins, bans, overQuota, accounts, uploads, requests, sessions\`; PROTOCOL.md, "Status", defines
    them. At most 1000 sessions are listed, those with a request under way first. With --store there
    are \`rates\` and \`nodes\` in place of \`sessions\`; docs/cluster.md defines them.`,
  examples: [
    ["barge status", "show the current state"],
    ["barge status --watch 2", "show it every two seconds, with rates"],
    ["barge status --json | jq .uploads.staged", "print the bytes reserved for unfinished uploads"],
    [
      "barge status --store postgres://barge@db/files --bucket s3+https://s3.box/bytes",
      "show all nodes",
    ],
  ],
  async run(values, { signal }) {
    const { watch, json } = values;
    const options = { watch, json, signal };
    if (isCluster(values)) {
      const { openShared } = await import("./_data/shared.ts");
      const { clusterStatus, printCluster } = await import("./_status/cluster.ts");
      await using storage = await openShared(values);
      return await repeat(() => clusterStatus(storage), printCluster, options);
    }
    await using session = await openSession(values, signal);
    await repeat(() => status(session.client), printStatus, options);
  },
});

/**
 * Returns whether to show a cluster.
 *
 * @throws {BargeError} `usage` where the command line names both a server and a storage
 */
function isCluster({ store, bucket }: StorageValues): boolean {
  if (!store && !bucket) return false;
  if (!isOnLine("--server")) return true;
  if (!isOnLine("--store") && !isOnLine("--bucket")) return false;
  throw new BargeError("usage", "--server and --store exclude each other");
}

interface RepeatOptions {
  /** The interval in seconds; undefined: once. */
  readonly watch: number | undefined;
  readonly json: boolean;
  readonly signal: AbortSignal;
}

/** Reads a status and prints it, once or at an interval. */
async function repeat<T>(
  read: () => Promise<T>,
  show: (now: T, before?: T) => void,
  { watch, json, signal }: RepeatOptions,
): Promise<void> {
  let now = await read();
  if (json) printJson(now);
  else show(now);
  while (watch !== undefined) {
    await pause(watch * 1000, signal);
    const before = now;
    now = await read();
    if (json) {
      printJson(now);
      continue;
    }
    if (terminal.stdout) writeStdout(clear);
    else print("");
    show(now, before);
  }
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await sleep(ms, undefined, { signal });
  } catch {
    throw new BargeError("interrupted", "interrupted");
  }
}
