/** Contest `many`: concurrent clients that download 1 MiB each: time, failures, peak memory. */
import { watchFamily } from "../process_memory.ts";
import { startBench } from "../program.ts";
import { issueToken } from "../token.ts";
import type { Workspace } from "./workspace.ts";
import type { Contest, Entry } from "./contest.ts";
import { capture } from "./process.ts";
import { Fleet } from "./servers.ts";

export async function* many(workspace: Workspace): AsyncGenerator<Contest> {
  const { source, scale: { clients }, tools: { curl } } = workspace;
  if (!curl) return;
  await using ours = await startBench({ dir: workspace.work }, "--http", "127.0.0.1:0");
  await using fleet = await Fleet.start(workspace, "nginx", "rclone", "pyftpdlib", "vsftpd");
  await ours.run("put", "-q", `${source}/one`, "/home/one");
  const token = await issueToken(ours);
  const entry = (
    name: string,
    kind: Entry["kind"],
    pid: number,
    url: string,
    login: string[] = [],
  ): Entry => ({
    name,
    kind,
    async run(round) {
      if (round === 0) {
        // Reading a server's memory takes time, so it has a run of its own.
        const stopWatching = watchFamily(pid);
        await runClients(url, login);
        peaks.set(name, stopWatching());
      }
      const began = performance.now();
      const failed = await runClients(url, login);
      const value = (performance.now() - began) / 1000;
      return { value, more: { failed, "server's peak MiB": peaks.get(name)! } };
    },
  });
  const peaks = new Map<string, number>();
  const http = `http://${ours.facts.http}/api/v1/files/home/one`;
  yield {
    title: `${clients} clients at once that download 1 MiB each, by curl --parallel`,
    unit: "s",
    digits: 3,
    better: "less",
    columns: ["failed", "server's peak MiB"],
    entries: [
      entry("barge, HTTP", "ours", ours.server.pid, http, ["-u", `bench:${token}`]),
      fleet.with(
        "nginx",
        ({ port, pid }) => entry("nginx", "peer", pid, `http://127.0.0.1:${port}/down/one`),
      ),
      fleet.with(
        "rclone",
        ({ port, pid }) =>
          entry("rclone serve webdav", "peer", pid, `http://127.0.0.1:${port}/down/one`),
      ),
      fleet.with(
        "pyftpdlib",
        ({ port, pid }) => entry("pyftpdlib", "peer", pid, `ftp://127.0.0.1:${port}/down/one`),
      ),
      fleet.with(
        "vsftpd",
        ({ port, pid }) => entry("vsftpd", "peer", pid, `ftp://127.0.0.1:${port}/down/one`),
      ),
    ],
  };

  /** @returns the number of failed downloads */
  async function runClients(url: string, login: readonly string[]): Promise<number> {
    const lines = Array.from({ length: clients }, () => `url = "${url}"\noutput = "/dev/null"\n`);
    await Deno.writeTextFile(`${workspace.work}/curl.conf`, lines.join(""));
    const { stdout } = await capture(curl!, [
      "-s",
      "--fail",
      "--parallel",
      "--parallel-immediate",
      "--parallel-max",
      String(clients),
      "--max-time",
      "10",
      "-w",
      "%{exitcode} %{size_download}\\n",
      ...login,
      "-K",
      `${workspace.work}/curl.conf`,
    ]);
    return clients - stdout.split("\n").filter((line) => line === `0 ${2 ** 20}`).length;
  }
}
