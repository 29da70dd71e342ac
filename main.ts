/**
 * Runs command lines: finds the verb in the command tree, calls it, returns its exit code.
 *
 * Each start loads the called verb only. Verbs import() what only some of their calls need and
 * costs more than 10 ms: node:crypto (28 ms), prompts (30 ms), TLS, SQLite. The start of `put`
 * takes 65 ms in all; docs/performance.md has the figures, and `deno task bench start` measures it.
 */
import type { Group, Tree, Verb } from "./cmd/_term/command.ts";
import { BargeError } from "./core/error.ts";
import { exit, report } from "./cmd/_term/fail.ts";
import { isForAnother } from "./cmd/_term/interrupt.ts";
import { print, stdoutClosed, stopWaiting } from "./cmd/_term/out.ts";
import { version } from "./cmd/_version.ts";

const key: Tree = {
  add: { brief: "let an account log in with a key", load: () => import("./cmd/user/key/add.ts") },
  list: { brief: "list an account's keys", load: () => import("./cmd/user/key/list.ts") },
  remove: { brief: "remove keys of an account", load: () => import("./cmd/user/key/remove.ts") },
};

const user: Tree = {
  add: { brief: "make an account", load: () => import("./cmd/user/add.ts") },
  list: { brief: "list the accounts", load: () => import("./cmd/user/list.ts") },
  show: { brief: "show one account", load: () => import("./cmd/user/show.ts") },
  remove: { brief: "remove an account", load: () => import("./cmd/user/remove.ts") },
  passwd: { brief: "give an account a new password", load: () => import("./cmd/user/passwd.ts") },
  enable: {
    brief: "let a disabled account log in again",
    load: () => import("./cmd/user/enable.ts"),
  },
  disable: {
    brief: "keep an account from logging in",
    load: () => import("./cmd/user/disable.ts"),
  },
  tokens: {
    brief: "list and revoke an account's tokens",
    load: () => import("./cmd/user/tokens.ts"),
  },
  key: { brief: "manage the public keys that an account logs in with (SFTP)", verbs: key },
  apply: {
    brief: "make the accounts that a file declares",
    load: () => import("./cmd/user/apply.ts"),
  },
};

const quota: Tree = {
  list: { brief: "list the quotas of all accounts", load: () => import("./cmd/quota/list.ts") },
  set: { brief: "change an account's quota", load: () => import("./cmd/quota/set.ts") },
  verify: {
    brief: "compare the ledger with the disk",
    load: () => import("./cmd/quota/verify.ts"),
  },
};

const ban: Tree = {
  list: { brief: "list the bans after failed logins", load: () => import("./cmd/ban/list.ts") },
  lift: {
    brief: "let a banned address or account log in",
    load: () => import("./cmd/ban/lift.ts"),
  },
};

const bench: Tree = {
  tcp: { brief: "load a TCP echo server", load: () => import("./cmd/bench/tcp.ts") },
  udp: { brief: "load a UDP echo server", load: () => import("./cmd/bench/udp.ts") },
  http: { brief: "load a web server", load: () => import("./cmd/bench/http.ts") },
  transfer: {
    brief: "put and get files, one large and many small",
    load: () => import("./cmd/bench/transfer.ts"),
  },
  spawn: {
    brief: "start workers, subprocesses, tasks",
    load: () => import("./cmd/bench/spawn.ts"),
  },
  cpu: { brief: "compute in each of them", load: () => import("./cmd/bench/cpu.ts") },
  io: { brief: "read files in each of them", load: () => import("./cmd/bench/io.ts") },
  switch: {
    brief: "generators against calls and awaits",
    load: () => import("./cmd/bench/switch.ts"),
  },
  fetch: { brief: "pages one by one and together", load: () => import("./cmd/bench/fetch.ts") },
  queue: {
    brief: "hand items on, between isolates too",
    load: () => import("./cmd/bench/queue.ts"),
  },
  all: { brief: "all of these on this machine", load: () => import("./cmd/bench/all.ts") },
};

/** Every verb of the program. */
export const tree: Tree = {
  serve: { brief: "serve files to people with accounts", load: () => import("./cmd/serve.ts") },
  user: { brief: "manage the accounts in a data directory", verbs: user },
  quota: {
    brief: "show your quota at a server; manage those of all accounts",
    verbs: quota,
    load: () => import("./cmd/quota/own.ts"),
  },
  ban: { brief: "show and lift bans after failed logins", verbs: ban },
  verify: {
    brief: "read every file and compare it with its digest",
    load: () => import("./cmd/verify.ts"),
  },
  backup: { brief: "copy the accounts database", load: () => import("./cmd/backup.ts") },
  login: { brief: "log in at a server and save the login", load: () => import("./cmd/login.ts") },
  logout: { brief: "forget a saved login", load: () => import("./cmd/logout.ts") },
  put: { brief: "send files and folders", load: () => import("./cmd/put.ts") },
  get: { brief: "fetch files and folders", load: () => import("./cmd/get.ts") },
  ls: { brief: "list files", load: () => import("./cmd/ls.ts") },
  stat: { brief: "show one file or folder", load: () => import("./cmd/stat.ts") },
  rm: { brief: "remove files and folders", load: () => import("./cmd/rm.ts") },
  mv: { brief: "move or rename files and folders", load: () => import("./cmd/mv.ts") },
  cp: { brief: "copy files and folders at the server", load: () => import("./cmd/cp.ts") },
  mkdir: { brief: "make folders", load: () => import("./cmd/mkdir.ts") },
  register: {
    brief: "make an account for yourself at a server",
    load: () => import("./cmd/register.ts"),
  },
  grow: { brief: "ask a server for a larger quota", load: () => import("./cmd/grow.ts") },
  passwd: { brief: "change your password at a server", load: () => import("./cmd/passwd.ts") },
  ping: { brief: "check whether a server answers", load: () => import("./cmd/ping.ts") },
  status: {
    brief: "show the state of a server, to its admins",
    load: () => import("./cmd/status.ts"),
  },
  shell: { brief: "work at a server from a prompt", load: () => import("./cmd/shell.ts") },
  cert: { brief: "show a server's certificate", load: () => import("./cmd/cert.ts") },
  "echo-tcp": {
    brief: "answer over TCP in upper case, or ask such a server",
    load: () => import("./cmd/echo-tcp.ts"),
  },
  "echo-udp": { brief: "the same over UDP", load: () => import("./cmd/echo-udp.ts") },
  bench: { brief: "measure servers, and this machine", verbs: bench },
  demo: { brief: "teach what threads do", load: () => import("./cmd/demo.ts") },
  completion: {
    brief: "print a completion script for your shell",
    load: () => import("./cmd/completion.ts"),
  },
  licenses: { brief: "print the licenses of all parts", load: () => import("./cmd/licenses.ts") },
};

/**
 * Runs a command line.
 *
 * @param args the words behind the program's name
 * @returns the exit code
 */
export async function main(args: readonly string[]): Promise<number> {
  const [first = "", ...rest] = args;
  if (first === "--version" || first === "-V" || first === "version") {
    const json = rest.includes("--json") || isYes("BARGE_JSON");
    print(json ? JSON.stringify({ version }) : `barge ${version}`);
    return 0;
  }
  if (first === "--help" || first === "-h") return await help([]);
  if (first === "help") return await help(rest.filter((arg) => arg !== "--help" && arg !== "-h"));
  let name = "";
  const debug = args.includes("--debug") || isYes("BARGE_DEBUG");
  try {
    const row = await findRow(args);
    name = row.name;
    const { asksForHelp, parseArgs } = await import("./cmd/_term/parse.ts");
    // The words behind a shell's name are a command line to complete; their --help is not for us.
    const own = name === "completion" ? row.args.slice(0, 1) : row.args;
    if (asksForHelp(own)) return await help(row.words);
    if (row.verb === undefined) return await help(row.words, 2);
    const { default: command } = await row.verb.load();
    const values = parseArgs(name, command, row.args);
    return await command.run(values, {
      signal: AbortSignal.any([stop.signal, stdoutClosed]),
      tree,
    }) ?? 0;
  } catch (error) {
    return stdoutClosed.aborted ? 130 : report(error, { verb: name, debug });
  }
}

/** Finds the row of the tree that the first words name. @returns it with the other words */
async function findRow(args: readonly string[]) {
  let level: Tree = tree;
  let verb: Partial<Verb & Group> | undefined;
  const words: string[] = [];
  for (const arg of args) {
    const row: Partial<Verb & Group> | undefined = Object.hasOwn(level, arg)
      ? level[arg]
      : undefined;
    if (!row) {
      const isGroup = Object.keys(level).length > 0;
      if (words.length > 0 && (!isGroup || arg.startsWith("-"))) break;
      const { unknownVerb } = await import("./cmd/_term/overview.ts");
      throw unknownVerb(arg, words, Object.keys(level));
    }
    words.push(arg);
    verb = row;
    level = row.verbs ?? {};
  }
  const brief = verb?.brief ?? "";
  const runs = verb?.load && { load: verb.load, brief };
  const group = verb?.verbs && { verbs: verb.verbs, brief };
  return { verb: runs, group, name: words.join(" "), words, args: args.slice(words.length) };
}

/** Prints help: of the program, of a group of verbs, or of one verb. */
async function help(words: readonly string[], code = 0): Promise<number> {
  try {
    const { printGroup, printOverview } = await import("./cmd/_term/overview.ts");
    if (words.length === 0) {
      printOverview(tree, version);
      return code;
    }
    const { verb, name, args, group } = await findRow(words);
    if (args.length > 0) {
      throw new BargeError("usage", `${JSON.stringify(args[0])} is not a verb`, { op: "help" });
    }
    if (verb) {
      const { printHelp } = await import("./cmd/_term/help.ts");
      const { default: command } = await verb.load();
      printHelp(name, verb.brief, command);
    }
    if (group?.verbs) printGroup(name, group.brief, group.verbs);
    return code;
  } catch (error) {
    return report(error, { verb: "help", debug: false });
  }
}

const stop = new AbortController();

/** The first Ctrl-C or SIGTERM stops the verb, the second ends the program at once. */
function watchSignals(): void {
  const onSignal = (signal: Deno.Signal) => {
    if (signal === "SIGINT" && isForAnother()) return;
    if (stop.signal.aborted) Deno.exit(130);
    stop.abort(new BargeError("interrupted", "interrupted"));
    stopWaiting();
  };
  Deno.addSignalListener("SIGINT", () => onSignal("SIGINT"));
  if (Deno.build.os === "windows") return;
  Deno.addSignalListener("SIGTERM", () => onSignal("SIGTERM"));
}

function isYes(variable: string): boolean {
  return /^(1|true|yes|on)$/i.test(Deno.env.get(variable) ?? "");
}

/** Runs a command line with the process's signals, and exits with its code. */
export async function run(args: readonly string[]): Promise<void> {
  watchSignals();
  await exit(await main(args));
}

if (import.meta.main) await run(Deno.args);
