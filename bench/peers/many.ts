/** Many clients at once, each with 1 MiB: how long until the last has it, who fails, what it takes. */
import { watchFamily } from "../memory_of.ts";
import { startBench } from "../program.ts";
import { issueToken } from "../token.ts";
import type { Bed } from "./bed.ts";
import type { Contest, Entry } from "./contest.ts";
import { capture } from "./process.ts";
import { Fleet } from "./servers.ts";

export async function* many(bed: Bed): AsyncGenerator<Contest> {
  const { source, scale: { clients }, tools: { curl } } = bed;
  if (!curl) return;
  await using ours = await startBench({ dir: bed.work }, "--http", "127.0.0.1:0");
  await using fleet = await Fleet.start(bed, "nginx", "rclone", "pyftpdlib", "vsftpd");
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
        // To look at a server's memory takes time: that is done on a run that is not timed.
        const watched = watchFamily(pid);
        await clientsOf(url, login);
        peaks.set(name, watched());
      }
      const began = performance.now();
      const failed = await clientsOf(url, login);
      const value = (performance.now() - began) / 1000;
      return { value, more: { failed, "server's peak MiB": peaks.get(name)! } };
    },
  });
  const peaks = new Map<string, number>();
  const http = `http://${ours.facts.http}/api/v1/files/home/one`;
  yield {
    title: `${clients} clients at once that get 1 MiB each, by curl --parallel`,
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

  /** @returns how many failed */
  async function clientsOf(url: string, login: readonly string[]): Promise<number> {
    const lines = Array.from({ length: clients }, () => `url = "${url}"\noutput = "/dev/null"\n`);
    await Deno.writeTextFile(`${bed.work}/curl.conf`, lines.join(""));
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
      `${bed.work}/curl.conf`,
    ]);
    return clients - stdout.split("\n").filter((line) => line === `0 ${2 ** 20}`).length;
  }
}
