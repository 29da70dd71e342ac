/**
 * Finds the servers that run on this machine, for commands whose data directory may be the wrong one.
 * It reads /proc, and finds no server where that is missing or hides other users' processes.
 */
import { existsSync } from "node:fs";
import { resolve } from "node:path";

/** The most servers that {@link otherServers} names. */
const maxNamed = 3;

/** A running `barge serve`. */
export interface RunningServer {
  readonly pid: number;
  /** The data directory; undefined if neither the server's open files nor its command line shows it. */
  readonly data: string | undefined;
}

/** Returns the running servers, without this process. */
export function runningServers(): RunningServer[] {
  const servers: RunningServer[] = [];
  try {
    for (const { name } of Deno.readDirSync("/proc")) {
      const pid = /^\d+$/.test(name) ? Number(name) : Deno.pid;
      if (pid === Deno.pid) continue;
      const args = commandLine(pid);
      if (args && isServe(args)) {
        servers.push({ pid, data: lockedDirectory(pid) ?? namedDirectory(args) });
      }
    }
  } catch { /* the system has no /proc */ }
  return servers;
}

/** Returns a clause that names the servers on other directories than `data`; undefined: there are none. */
export function otherServers(data: string): string | undefined {
  const own = realPath(data);
  return describe(runningServers().filter((server) => server.data !== own));
}

/**
 * Returns a clause that names the servers that certainly run on other directories than `data`.
 *
 * @returns undefined if there are none, or if a server runs on `data`
 */
export function serversElsewhere(data: string): string | undefined {
  const own = realPath(data);
  const servers = runningServers().filter((server) => server.data !== undefined);
  return servers.some((server) => server.data === own) ? undefined : describe(servers);
}

function describe(servers: readonly RunningServer[]): string | undefined {
  if (servers.length === 0) return undefined;
  const texts = servers.map(({ pid, data }) =>
    data ? `${data} (process ${pid})` : `process ${pid}`
  );
  const more = texts.length - maxNamed;
  const named = texts.slice(0, maxNamed).join(", ") + (more > 0 ? ` and ${more} more` : "");
  return texts.length === 1
    ? `a server runs on another directory: ${named}`
    : `servers run on other directories: ${named}`;
}

function commandLine(pid: number): string[] | undefined {
  try {
    return Deno.readTextFileSync(`/proc/${pid}/cmdline`).split("\0");
  } catch {
    return undefined; // the process has ended, or is hidden
  }
}

/**
 * Returns whether a command line is `barge serve ...`, or the runtime with `run ... main.ts serve ...` (of the
 * executable, `main.js`). A program that runs such a command as another process, as sudo and timeout do, is no server.
 *
 * @example
 * ```ts
 * import { isServe } from "./running_servers.ts";
 * const isServer = (line: string) => isServe(line.split(" "));
 * if (!isServer("/usr/bin/barge serve")) throw new Error();
 * if (!isServer("/cache/barge run --quiet /cache/main.js serve --data d")) throw new Error();
 * if (isServer("sudo -u barge barge serve")) throw new Error();
 * if (isServer("timeout 9 deno run main.ts serve")) throw new Error();
 * ```
 */
export function isServe(args: readonly string[]): boolean {
  const at = args.indexOf("serve");
  if (at === 1) return /(^|\/)barge$/.test(args[0]);
  return at > 1 && args[1] === "run" && /(^|\/)main\.[jt]s$/.test(args[at - 1]);
}

/** Returns the directory whose lock a process has open. Only root can see other users' open files. */
function lockedDirectory(pid: number): string | undefined {
  try {
    for (const { name } of Deno.readDirSync(`/proc/${pid}/fd`)) {
      const [, data] = /^(\/.*)\/lock$/.exec(linkOf(`/proc/${pid}/fd/${name}`)) ?? [];
      if (data !== undefined && existsSync(`${data}/accounts.db`)) return data;
    }
  } catch { /* another user's process */ }
  return undefined;
}

function linkOf(path: string): string {
  try {
    return Deno.readLinkSync(path);
  } catch {
    return "";
  }
}

/** Returns the value of --data if it is absolute; the base of a relative one is unknown. */
function namedDirectory(args: readonly string[]): string | undefined {
  const at = args.findIndex((arg) => arg === "--data");
  const path = at >= 0 ? args[at + 1] : args.find((arg) => arg.startsWith("--data="))?.slice(7);
  return path?.startsWith("/") ? realPath(path) : undefined;
}

/** Resolves links, as in the path of the lock that a server has open. A missing path is returned absolute. */
function realPath(path: string): string {
  try {
    return Deno.realPathSync(path);
  } catch {
    return resolve(path);
  }
}
