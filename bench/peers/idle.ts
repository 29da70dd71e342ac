/**
 * Contest `idle`: the memory of a session that has logged in or made a request, and is then idle.
 */
import { Client as Ssh } from "ssh2";
import type { Client } from "../../core/client/client.ts";
import { connect } from "../../core/client/connect.ts";
import { login } from "../../core/client/login.ts";
import { parseRemote } from "../../core/client/remote.ts";
import { familyMemory } from "../process_memory.ts";
import { type Bench, startBench } from "../program.ts";
import { issueToken } from "../token.ts";
import type { Workspace } from "./workspace.ts";
import type { Contest, Entry, Sample } from "./contest.ts";
import { capture } from "./process.ts";
import { Fleet, makeKey } from "./servers.ts";

/** Concurrent connects: more would overflow the accept queue. */
const parallelOpens = 25;
/** An ssh session needs a key exchange, so fewer are measured. */
const maxSshSessions = 100;

interface Session {
  close(): void;
}

export async function* idle(workspace: Workspace): AsyncGenerator<Contest> {
  const { scale: { sessions }, tools } = workspace;
  await using fleet = await Fleet.start(workspace, "nginx", "vsftpd", "pyftpdlib", "sshd");
  const key = tools.ssh && await makeKey(workspace);
  const user = (await capture("id", ["-un"])).stdout.trim();
  const sshSessions = Math.min(sessions, maxSshSessions);
  // barge's server is a new one for each run: memory freed by earlier sessions would be reused
  // first.
  const ours = (
    name: string,
    door: string,
    open: (bench: Bench, token: string, port: number) => Promise<Session>,
    count = sessions,
  ): Entry => ({
    name: `barge, ${name}`,
    kind: "ours",
    async run() {
      const doors = door === "native" ? [] : [`--${door}`, "127.0.0.1:0"];
      await using bench = await startBench(
        { dir: workspace.work },
        ...doors,
        "--max-per-account",
        "0",
      );
      if (key) await bench.admin("user", "key", "add", "bench", `${key}.pub`);
      const token = await issueToken(bench);
      const port = Number(bench.facts[door]!.split(":")[1]);
      return await measureSessions(bench.server.pid, () => open(bench, token, port), count);
    },
  });
  const theirs = (
    name: string,
    pid: number,
    open: () => Promise<Session>,
    count = sessions,
  ): Entry => ({ name, kind: "peer", run: () => measureSessions(pid, open, count) });
  yield {
    title: "Idle sessions: memory of the server for each",
    unit: "KiB",
    digits: 1,
    better: "less",
    columns: ["sessions", "in all MiB"],
    rounds: 3,
    entries: [
      ours("native, logged in", "native", native),
      ours("native, has listed a folder", "native", async (bench, token) => {
        const client = await native(bench, token);
        await client.ask("list", { path: "/home", recursive: false });
        return client;
      }),
      ours("HTTP, answered once", "http", (_bench, _token, port) => http(port, "/")),
      ours("FTP, logged in", "ftp", (_, token, port) => ftp(port, "bench", token)),
      key
        ? ours("SFTP", "sftp", (_, _token, port) => ssh(port, "bench", key), sshSessions)
        : undefined,
      fleet.with(
        "nginx",
        ({ port, pid }) =>
          theirs("nginx, answered once", pid, () => http(port, "/down/tree/d0/f0")),
      ),
      fleet.with(
        "pyftpdlib",
        ({ port, pid }) =>
          theirs("pyftpdlib, logged in", pid, () => ftp(port, "anonymous", "bench")),
      ),
      fleet.with(
        "vsftpd",
        ({ port, pid }) => theirs("vsftpd, logged in", pid, () => ftp(port, "anonymous", "bench")),
      ),
      key
        ? fleet.with(
          "sshd",
          ({ port, pid }) => theirs("sshd, SFTP", pid, () => ssh(port, user, key), sshSessions),
        )
        : undefined,
    ],
  };
}

/** @returns KiB a session */
async function measureSessions(
  pid: number,
  open: () => Promise<Session>,
  count: number,
): Promise<Sample> {
  // The first sessions cause allocations that later ones share.
  await close(await openAll(open, Math.min(parallelOpens, count)));
  const before = familyMemory(pid);
  const sessions = await openAll(open, count);
  const after = familyMemory(pid);
  await close(sessions);
  return { value: (after - before) * 1024 / count, more: { sessions: count, "in all MiB": after } };
}

async function openAll(open: () => Promise<Session>, count: number): Promise<Session[]> {
  const sessions: Session[] = [];
  while (sessions.length < count) {
    const missing = Math.min(parallelOpens, count - sessions.length);
    sessions.push(...await Promise.all(Array.from({ length: missing }, open)));
  }
  return sessions;
}

/** Closes sessions, and waits until the server has closed them, too. */
async function close(sessions: readonly Session[]): Promise<void> {
  for (const session of sessions) session.close();
  await new Promise((resolve) => setTimeout(resolve, 300));
}

async function native(bench: Bench, token: string): Promise<Client> {
  const client = await connect(parseRemote(bench.address));
  await login(client, { token });
  return client;
}

async function http(port: number, path: string): Promise<Session> {
  const conn = await Deno.connect({ hostname: "127.0.0.1", port });
  await conn.write(new TextEncoder().encode(`HEAD ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`));
  await answer(conn, /\r\n\r\n$/);
  return conn;
}

async function ftp(port: number, name: string, password: string): Promise<Session> {
  const conn = await Deno.connect({ hostname: "127.0.0.1", port });
  await answer(conn, /^220 .*\r\n/m);
  const say = (line: string) => conn.write(new TextEncoder().encode(`${line}\r\n`));
  await say(`USER ${name}`);
  // Some servers let anonymous users in without a password.
  if ((await answer(conn, /^(230|331) .*\r\n/m))[1] === "331") {
    await say(`PASS ${password}`);
    await answer(conn, /^230 .*\r\n/m);
  }
  return conn;
}

async function answer(conn: Deno.Conn, until: RegExp): Promise<RegExpExecArray> {
  const buffer = new Uint8Array(4096);
  for (let text = "";;) {
    const n = await conn.read(buffer);
    if (n === null) throw new Error(`closed after: ${text.trim()}`);
    text += new TextDecoder().decode(buffer.subarray(0, n));
    const match = until.exec(text);
    if (match) return match;
  }
}

async function ssh(port: number, username: string, key: string): Promise<Session> {
  const privateKey = await Deno.readTextFile(key);
  const client = new Ssh();
  await new Promise((resolve, reject) => {
    client.on(
      "ready",
      () => client.sftp((error?: Error) => error ? reject(error) : resolve(undefined)),
    );
    client.on("error", reject);
    client.connect({ host: "127.0.0.1", port, username, privateKey, readyTimeout: 30_000 });
  });
  return { close: () => client.end() };
}
