/** What memory a session takes that is logged in, or has asked once, and then does nothing. */
import { Client as Ssh } from "ssh2";
import type { Client } from "../../core/client/client.ts";
import { connect } from "../../core/client/connect.ts";
import { login } from "../../core/client/login.ts";
import { parseRemote } from "../../core/client/remote.ts";
import { familyMemory } from "../memory_of.ts";
import { type Bench, startBenchAt } from "../program.ts";
import type { Bed } from "./bed.ts";
import type { Contest, Entry } from "./contest.ts";
import { Fleet, makeKey } from "./servers.ts";

/** So many at a time: more would fill the line of those that are not accepted yet. */
const abreast = 25;
/** An ssh session costs both ends a key exchange: fewer of them tell as much. */
const mostSsh = 100;

/** A session, as far as it must be known here. */
interface Session {
  close(): void;
}

export async function* idle(bed: Bed): AsyncGenerator<Contest> {
  const { scale: { sessions }, tools } = bed;
  const all = ["--http", "127.0.0.1:0", "--ftp", "127.0.0.1:0", "--sftp", "127.0.0.1:0"];
  await using ours = await startBenchAt({ dir: bed.work }, ...all, "--max-per-account", "0");
  await using fleet = await Fleet.start(bed, "nginx", "vsftpd", "pyftpdlib", "sshd");
  const user = Deno.env.get("USER") ?? Deno.env.get("LOGNAME") ?? "root";
  const token = await newToken(ours);
  const port = (door: string) => Number(ours.facts[door]!.split(":")[1]);
  const entry = (
    name: string,
    kind: Entry["kind"],
    pid: number,
    open: () => Promise<Session>,
    count = sessions,
  ): Entry => ({
    ...{ name, kind },
    async run() {
      // What the first sessions bring about once is not theirs.
      await close(await openAll(open, Math.min(abreast, count)));
      const before = familyMemory(pid);
      const held = await openAll(open, count);
      const after = familyMemory(pid);
      await close(held);
      return {
        value: (after - before) * 1024 / count,
        more: { sessions: count, "in all MiB": after },
      };
    },
  });
  const { pid } = ours.server;
  const key = tools.ssh && await makeKey(bed);
  if (key) await ours.admin("user", "key", "add", "bench", `${key}.pub`);
  const ssh = key && {
    ours: () => sshSession(port("sftp"), "bench", key),
    theirs: (port: number) => () => sshSession(port, user, key),
  };
  const few = Math.min(sessions, mostSsh);
  yield {
    title: "Idle sessions: memory of the server for each",
    ...{ unit: "KiB", digits: 1, better: "less", columns: ["sessions", "in all MiB"], rounds: 3 },
    entries: [
      entry("barge, native, logged in", "ours", pid, () => native(ours, token)),
      entry("barge, native, has listed a folder", "ours", pid, async () => {
        const client = await native(ours, token);
        await client.ask("list", { path: "/home", recursive: false });
        return client;
      }),
      entry("barge, HTTP, answered once", "ours", pid, () => http(port("http"), "/")),
      entry("barge, FTP, logged in", "ours", pid, () => ftp(port("ftp"), "bench", "bench")),
      ssh && entry("barge, SFTP, logged in", "ours", pid, ssh.ours, few),
      fleet.with(
        "nginx",
        ({ port, pid }) =>
          entry("nginx, answered once", "peer", pid, () => http(port, "/down/tree/d0/f0")),
      ),
      fleet.with(
        "pyftpdlib",
        ({ port, pid }) =>
          entry("pyftpdlib, logged in", "peer", pid, () => ftp(port, "anonymous", "bench")),
      ),
      fleet.with(
        "vsftpd",
        ({ port, pid }) =>
          entry("vsftpd, logged in", "peer", pid, () => ftp(port, "anonymous", "bench")),
      ),
      ssh
        ? fleet.with(
          "sshd",
          ({ port, pid }) => entry("sshd, logged in", "peer", pid, ssh.theirs(port), few),
        )
        : undefined,
    ].filter((one) => one !== "" && one !== undefined),
  };
}

async function openAll(open: () => Promise<Session>, count: number): Promise<Session[]> {
  const sessions: Session[] = [];
  while (sessions.length < count) {
    const missing = Math.min(abreast, count - sessions.length);
    sessions.push(...await Promise.all(Array.from({ length: missing }, open)));
  }
  return sessions;
}

/** Until the server has let go of them, too. */
async function close(sessions: readonly Session[]): Promise<void> {
  for (const session of sessions) session.close();
  await new Promise((resolve) => setTimeout(resolve, 300));
}

async function newToken(bench: Bench): Promise<string> {
  const client = await connect(parseRemote(bench.address));
  await login(client, { account: "bench", password: "bench" });
  const { token } = await client.ask("token", { action: "issue", label: "bench" });
  client.close();
  return token!;
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
  for (const [line, code] of [[`USER ${name}`, "331"], [`PASS ${password}`, "230"]]) {
    await conn.write(new TextEncoder().encode(`${line}\r\n`));
    await answer(conn, new RegExp(`^${code} .*\r\n`, "m"));
  }
  return conn;
}

async function answer(conn: Deno.Conn, until: RegExp): Promise<void> {
  const buffer = new Uint8Array(4096);
  for (let text = ""; !until.test(text);) {
    const n = await conn.read(buffer);
    if (n === null) throw new Error(`closed after: ${text.trim()}`);
    text += new TextDecoder().decode(buffer.subarray(0, n));
  }
}

async function sshSession(port: number, username: string, key: string): Promise<Session> {
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
