/** Contest `big`: one large file, down and up, by a client for each server. */
import { fileURLToPath } from "node:url";
import { isInMemory } from "../place.ts";
import { startBench } from "../program.ts";
import { assertSame, type Workspace } from "./workspace.ts";
import { barge } from "./barge.ts";
import type { Contest, Entry } from "./contest.ts";
import { capture, freePort, serve, timed } from "./process.ts";
import { Fleet, type PeerName, sshOptions } from "./servers.ts";

export async function* big(workspace: Workspace): AsyncGenerator<Contest> {
  const { source, root, scale, tools } = workspace;
  await using ours = await startBench({ dir: workspace.work });
  const names = ["vsftpd", "pyftpdlib", "nginx", "rsync", "rclone", "sshd"] as const;
  await using fleet = await Fleet.start(workspace, ...names);
  await ours.run("put", "-q", `${source}/large`, "/home/large");
  await ours.run("mkdir", "/home/up");
  await using floor = await startFloor(workspace);
  const { curl, rsync, scp } = tools;
  const byRsync = (name: string, ...more: string[]) =>
    rsync && fleet.with("rsync", ({ port }) => ({
      name,
      run: (way: Way) =>
        timed(rsync, ["-W", ...more, ...way.copy(`rsync://127.0.0.1:${port}/root`)]),
    }));
  const byCurl = (peer: PeerName, name: string, scheme: "ftp" | "http") =>
    curl && fleet.with(peer, ({ port }) => ({
      name,
      run: (way: Way) => timed(curl, way.curl(`${scheme}://127.0.0.1:${port}`)),
    }));
  const plan = [
    { name: "barge", run: (way: Way) => barge(ours, way.barge()) },
    {
      name: "barge --no-verify",
      run: (way: Way) => barge(ours, way.barge(), ["--no-verify"]),
    },
    byCurl("vsftpd", "vsftpd, curl", "ftp"),
    byCurl("pyftpdlib", "pyftpdlib, curl", "ftp"),
    byCurl("nginx", "nginx, curl", "http"),
    byCurl("rclone", "rclone serve webdav, curl", "http"),
    byRsync("rsync daemon, rsync -W"),
    !await isInMemory(workspace.work) && byRsync("rsync daemon, rsync -W --fsync", "--fsync"),
    scp && fleet.with("sshd", ({ port }) => ({
      name: "sshd, scp",
      run: async (way: Way) =>
        timed(scp, [...await sshOptions(workspace, port), ...way.copy(`127.0.0.1:${root}`)]),
    })),
    floor && { name: "floor: a socket in C", run: (way: Way) => floor.run(way.floor("")) },
    floor && {
      name: "floor: a socket in C, SHA-256 at both ends",
      run: (way: Way) => floor.run(way.floor("s")),
    },
  ].filter((one) => !!one);
  const size = `${(scale.large / 2 ** 20).toLocaleString("en-US")} MiB`;
  const digits = 3;

  const download = ({ name, run }: typeof plan[number]): Entry => ({
    name,
    kind: kindOf(name),
    async run(round) {
      const back = `${await workspace.fresh()}/large`;
      await workspace.warm(scale.large);
      const value = await run({
        barge: () => ["get", "-q", "/home/large", back],
        curl: (url) => ["-sSf", "-o", back, `${url}/down/large`],
        copy: (from) => [`${from}/down/large`, back],
        floor: (digest) => [`get${digest}`, back, "down/large"],
      });
      await assertSame(`${source}/large`, back, round === 0);
      return { value, more: rate(value) };
    },
  });
  yield {
    title: `One file of ${size}, down`,
    unit: "s",
    better: "less",
    digits,
    entries: plan.map(download),
    columns: ["MiB/s"],
  };

  const upload = ({ name, run }: typeof plan[number], i: number): Entry => ({
    name,
    kind: kindOf(name),
    async run(round) {
      const to = `up/${i}-${round}`;
      await workspace.warm(scale.large);
      const value = await run({
        barge: () => ["put", "-q", `${source}/large`, `/home/${to}`],
        curl: (url) => ["-sSf", "-T", `${source}/large`, `${url}/${to}`],
        copy: (into) => [`${source}/large`, `${into}/${to}`],
        floor: (digest) => [`put${digest}`, `${source}/large`, to],
      });
      const target = name.startsWith("barge") ? `${ours.home}/${to}` : `${root}/${to}`;
      await assertSame(`${source}/large`, target, round === 0);
      if (name.startsWith("barge")) await ours.run("rm", `/home/${to}`);
      else await workspace.sweep();
      return { value, more: rate(value) };
    },
  });
  yield {
    title: `One file of ${size}, up`,
    unit: "s",
    better: "less",
    digits,
    entries: plan.map(upload),
    columns: ["MiB/s"],
  };

  function rate(seconds: number) {
    return { "MiB/s": scale.large / 2 ** 20 / seconds };
  }
}

/** The arguments of each kind of client for one direction. */
interface Way {
  barge(): string[];
  curl(url: string): string[];
  copy(remote: string): string[];
  /** @param digest `s` to compute one */
  floor(digest: string): string[];
}

function kindOf(name: string): Entry["kind"] {
  return name.startsWith("barge") ? "ours" : name.startsWith("floor") ? "floor" : "peer";
}

/** @returns undefined without a compiler or OpenSSL's headers */
async function startFloor({ tools: { gcc }, work, root, notes }: Workspace) {
  if (!gcc) return undefined;
  const program = `${work}/floor`;
  const source = fileURLToPath(new URL("./floor.c", import.meta.url));
  const { success } = await capture(gcc, ["-O2", "-o", program, source, "-lcrypto"]);
  if (!success) {
    notes.push("the floors in C need OpenSSL's headers, too: apt install libssl-dev");
    return undefined;
  }
  const port = freePort();
  const server = await serve(program, ["serve", String(port), root], port);
  return {
    run: ([verb, file, name]: string[]) => timed(program, [verb, String(port), file, name]),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}
