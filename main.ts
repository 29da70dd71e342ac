/**
 * Runs command lines: finds the verb in the command tree, calls it, returns its exit code.
 *
 * Each start loads the called verb only. Verbs import() what only some of their calls need and
 * costs more than 10 ms: node:crypto (28 ms), prompts (30 ms), TLS, SQLite. The start of `put`
 * takes 65 ms in all; docs/performance.md has the figures, and `deno task bench start` measures it.
 */
import type { LocalBench } from "./cmd/_bench/local.ts";
import type { Group, Tree, Verb } from "./cmd/_term/command.ts";
import { BargeError } from "./core/error.ts";
import { exit, report } from "./cmd/_term/fail.ts";
import { isForAnother } from "./cmd/_term/interrupt.ts";
import { print, stdoutClosed, stopWaiting } from "./cmd/_term/out.ts";
import { version } from "./cmd/_version.ts";

const verb = (brief: string, load: Verb["load"]): Verb => ({ brief, load });

/** The rows below are for verbs that share a file: local benchmarks, loads of echo servers, `user enable`. */
const local = (name: LocalBench, brief: string) =>
  verb(brief, async () => ({ default: (await import("./cmd/_bench/local.ts")).localBench(name) }));
const echoLoad = (kind: "tcp" | "udp", brief: string) =>
  verb(
    brief,
    async () => ({ default: (await import("./cmd/_bench/echo_load.ts")).echoLoad(kind) }),
  );
const enable = (name: "enable" | "disable", brief: string) =>
  verb(brief, async () => ({ default: (await import("./cmd/_data/enable.ts")).enableVerb(name) }));

const key: Tree = {
  add: verb("let an account log in with a key", () => import("./cmd/user/key/add.ts")),
  list: verb("list an account's keys", () => import("./cmd/user/key/list.ts")),
  remove: verb("remove keys of an account", () => import("./cmd/user/key/remove.ts")),
};

const user: Tree = {
  add: verb("make an account", () => import("./cmd/user/add.ts")),
  list: verb("list the accounts", () => import("./cmd/user/list.ts")),
  show: verb("show one account", () => import("./cmd/user/show.ts")),
  remove: verb("remove an account", () => import("./cmd/user/remove.ts")),
  passwd: verb("give an account a new password", () => import("./cmd/user/passwd.ts")),
  set: verb(
    "change an account's role, its end, where it logs in from; remove its second factor",
    () => import("./cmd/user/set.ts"),
  ),
  enable: enable("enable", "let a disabled account log in again"),
  disable: enable("disable", "keep an account from logging in"),
  tokens: verb("list and revoke an account's tokens", () => import("./cmd/user/tokens.ts")),
  key: { brief: "manage the public keys that an account logs in with (SFTP)", verbs: key },
  apply: verb("make the accounts that a file declares", () => import("./cmd/user/apply.ts")),
};

const token: Tree = {
  add: verb("make a token, with limits", () => import("./cmd/token/add.ts")),
  list: verb("list your tokens", () => import("./cmd/token/list.ts")),
  revoke: verb("end tokens", () => import("./cmd/token/revoke.ts")),
};

const totp: Tree = {
  enable: verb("ask for a code beside your password", () => import("./cmd/totp/enable.ts")),
  disable: verb("ask for no code any more", () => import("./cmd/totp/disable.ts")),
  recovery: verb("make new recovery codes", () => import("./cmd/totp/recovery.ts")),
  status: verb("show your second factor", () => import("./cmd/totp/status.ts")),
};

const quota: Tree = {
  list: verb("list the quotas of all accounts", () => import("./cmd/quota/list.ts")),
  set: verb("change an account's quota", () => import("./cmd/quota/set.ts")),
  verify: verb("compare the ledger with the disk", () => import("./cmd/quota/verify.ts")),
};

const config: Tree = {
  check: verb("check a configuration file", () => import("./cmd/config/check.ts")),
  show: verb(
    "show the options in force, and where each comes from",
    () => import("./cmd/config/show.ts"),
  ),
};

const ban: Tree = {
  list: verb("list the bans after failed logins", () => import("./cmd/ban/list.ts")),
  lift: verb("let a banned address or account log in", () => import("./cmd/ban/lift.ts")),
};

const event: Tree = {
  list: verb("list the events that wait for a delivery", () => import("./cmd/event/list.ts")),
  retry: verb("deliver failed events now", () => import("./cmd/event/retry.ts")),
  drop: verb("give events up", () => import("./cmd/event/drop.ts")),
};

const bench: Tree = {
  tcp: echoLoad("tcp", "load a TCP echo server"),
  udp: echoLoad("udp", "load a UDP echo server"),
  http: verb("load a web server", () => import("./cmd/bench/http.ts")),
  transfer: verb(
    "put and get files, one large and many small",
    () => import("./cmd/bench/transfer.ts"),
  ),
  spawn: local("spawn", "start workers, subprocesses, tasks"),
  cpu: local("cpu", "compute in each of them"),
  io: local("io", "read files in each of them"),
  switch: local("switch", "generators against calls and awaits"),
  fetch: local("fetch", "pages one by one and together"),
  queue: local("queue", "hand items on, between isolates too"),
  all: verb("all of these on this machine", () => import("./cmd/bench/all.ts")),
};

/** Every verb of the program. */
export const tree: Tree = {
  serve: verb("serve files to people with accounts", () => import("./cmd/serve.ts")),
  config: { brief: "check configuration files, and show options in force", verbs: config },
  user: { brief: "manage the accounts in a data directory", verbs: user },
  quota: {
    brief: "show your quota at a server; manage those of all accounts",
    verbs: quota,
    load: () => import("./cmd/quota/own.ts"),
  },
  ban: { brief: "show and lift bans after failed logins", verbs: ban },
  audit: verb("show logins, and changes of accounts", () => import("./cmd/_status/audit.ts")),
  event: { brief: "manage the events that a server delivers", verbs: event },
  doctor: verb("look for faults in the setup of a server", () => import("./cmd/doctor.ts")),
  verify: verb("read every file and compare it with its digest", () => import("./cmd/verify.ts")),
  backup: verb("copy the accounts database", () => import("./cmd/backup.ts")),
  migrate: verb(
    "move a data directory to storage that many machines share, or back",
    () => import("./cmd/migrate.ts"),
  ),
  login: verb("log in at a server and save the login", () => import("./cmd/login.ts")),
  logout: verb("forget a saved login", () => import("./cmd/logout.ts")),
  token: { brief: "manage the tokens of your account at a server", verbs: token },
  totp: { brief: "manage the second factor of your account at a server", verbs: totp },
  put: verb("send files and folders", () => import("./cmd/put.ts")),
  get: verb("fetch files and folders", () => import("./cmd/get.ts")),
  ls: verb("list files", () => import("./cmd/ls.ts")),
  find: verb("find files by name, size, age or owner", () => import("./cmd/_pipe/find.ts")),
  du: verb("sum the sizes of folders", () => import("./cmd/_pipe/du.ts")),
  cat: verb("print files", () => import("./cmd/_pipe/cat.ts")),
  sum: verb("print digests as `sha256sum -c` reads them", () => import("./cmd/_pipe/sum.ts")),
  stat: verb("show one file or folder", () => import("./cmd/stat.ts")),
  rm: verb("remove files and folders", () => import("./cmd/rm.ts")),
  mv: verb("move or rename files and folders", () => import("./cmd/mv.ts")),
  cp: verb("copy files and folders at the server", () => import("./cmd/cp.ts")),
  mkdir: verb("make folders", () => import("./cmd/mkdir.ts")),
  register: verb("make an account for yourself at a server", () => import("./cmd/register.ts")),
  grow: verb("ask a server for a larger quota", () => import("./cmd/quota/grow.ts")),
  passwd: verb("change your password at a server", () => import("./cmd/passwd.ts")),
  ping: verb("check whether a server answers", () => import("./cmd/ping.ts")),
  status: verb("show the state of a server, to its admins", () => import("./cmd/status.ts")),
  shell: verb("work at a server from a prompt", () => import("./cmd/shell.ts")),
  cert: verb("show a server's certificate", () => import("./cmd/cert.ts")),
  "echo-tcp": verb(
    "answer over TCP in upper case, or ask such a server",
    () => import("./cmd/echo-tcp.ts"),
  ),
  "echo-udp": verb("the same over UDP", () => import("./cmd/echo-udp.ts")),
  bench: { brief: "measure servers, and this machine", verbs: bench },
  demo: verb("teach what threads do", () => import("./cmd/demo.ts")),
  completion: verb("print a completion script for your shell", () => import("./cmd/completion.ts")),
  licenses: verb("print the licenses of all parts", () => import("./cmd/licenses.ts")),
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
    const { commit } = await import("./cmd/_commit.ts");
    const json = rest.includes("--json") || isYes("BARGE_JSON");
    print(json ? JSON.stringify({ version, commit: commit ?? null }) : versionLine(commit));
    return 0;
  }
  if (first === "--help" || first === "-h") return await help([]);
  if (first === "help") return await help(rest.filter((arg) => arg !== "--help" && arg !== "-h"));
  let name = "";
  const debug = args.includes("--debug") || isYes("BARGE_DEBUG");
  try {
    const row = await findRow(args);
    name = row.name;
    const { asksForHelp } = await import("./cmd/_term/parse.ts");
    // The words behind a shell's name are a command line to complete; their --help is part of that line.
    const own = name === "completion" ? row.args.slice(0, 1) : row.args;
    if (asksForHelp(own)) return await help(row.words);
    if (row.verb === undefined) return await help(row.words, 2);
    const { default: command } = await row.verb.load();
    const { readCommand } = await import("./cmd/_config/read.ts");
    const readAgain = () => readCommand(name, command, row.args, tree);
    const { values, sources } = await readAgain();
    return await command.run(values, {
      signal: AbortSignal.any([stop.signal, stdoutClosed]),
      verb: name,
      tree,
      sources,
      readAgain,
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
      throw unknownVerb(arg, words, Object.keys(level), verb?.load !== undefined);
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

/** Returns the version as `barge --version` prints it. */
function versionLine(commit = "checkout"): string {
  return `barge ${version} (${commit})`;
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
