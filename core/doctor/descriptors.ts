/** Checks that the process may open enough descriptors for --max-connections. */
import { runningServers } from "../serve/running_servers.ts";
import type { Verdict } from "./finding.ts";
import type { LocalSetup, Setup } from "./setup.ts";

/** Descriptors of the server beside those of connections: the database, listeners, hooks. */
const ownDescriptors = 256;
/** A connection has a socket, and while it transfers a file or has FTP's data connection one more. */
const perConnection = 2;

/** Reads the limits of the server that runs, if it can be seen; else of this process. */
export function checkDescriptors(setup: Setup | LocalSetup): Verdict[] {
  const data = "data" in setup ? setup.data : undefined;
  const server = data && runningServers().find((running) => running.data === data);
  const ofServer = server ? maxDescriptors(server.pid) : undefined;
  const limit = ofServer ?? maxDescriptors("self");
  if (limit === undefined) return [];
  return [judgeDescriptors(limit, setup.maxConnections, {
    process: ofServer ? "The server" : "A process of this shell",
  })];
}

/**
 * Judges a limit of descriptors.
 *
 * @param limit the most descriptors of the process
 * @param maxConnections the most connections; 0: no limit
 */
export function judgeDescriptors(
  limit: number,
  maxConnections: number,
  { process }: { readonly process: string },
): Verdict {
  const has = `${process} may open ${limit} descriptors`;
  if (maxConnections === 0) {
    const message = `${has}, and --max-connections sets no limit.`;
    const advice = `Set --max-connections to ${Math.max(1, sustainable(limit))} or less.`;
    return { severity: "warn", message, advice };
  }
  const least = maxConnections + ownDescriptors;
  const full = maxConnections * perConnection + ownDescriptors;
  if (limit >= full) {
    return { severity: "ok", message: `${has}, enough for ${maxConnections} connections.` };
  }
  const message = `${has}; ${maxConnections} connections need ${least}, and ${full} while all of ` +
    "them transfer files.";
  const advice =
    `Raise the limit (\`ulimit -n ${full}\`, or LimitNOFILE=${full} in the unit), or lower ` +
    "--max-connections.";
  return { severity: limit >= least ? "note" : "warn", message, advice };
}

function sustainable(limit: number): number {
  return Math.floor((limit - ownDescriptors) / perConnection);
}

/** Returns the soft limit of a process; undefined where the system does not show it. */
function maxDescriptors(pid: number | "self"): number | undefined {
  try {
    const limits = Deno.readTextFileSync(`/proc/${pid}/limits`);
    const [, soft] = /^Max open files +(\d+|unlimited)/m.exec(limits) ?? [];
    return soft === undefined ? undefined : soft === "unlimited" ? Infinity : Number(soft);
  } catch {
    return undefined;
  }
}
