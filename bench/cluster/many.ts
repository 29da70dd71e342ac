/** Contest `many`: 200 clients at once, each with a file of 1 MiB. */
import type { Contest, Entry } from "../peers/contest.ts";
import { capture } from "../peers/process.ts";
import type { Bench } from "../program.ts";
import { issueToken } from "../token.ts";
import { cpuColumns, measure, type Setting } from "./setting.ts";
import { bareClient, oneMachine, oneNode, runS3Client, twoNodes } from "./ways.ts";

const fileBytes = 2 ** 20;

export async function* many(setting: Setting): AsyncGenerator<Contest> {
  const { workspace, engines, storage: { bucket }, machine, nodes: [a, b] } = setting;
  const { source, work, scale: { clients }, tools: { curl } } = workspace;
  if (!curl) return;
  const file = `${source}/one`;
  const tokens = new Map<Bench, string>();
  for (const server of [machine, a]) {
    tokens.set(server, await issueToken(server));
    await server.run("put", "-q", file, "/home/one");
  }
  await runS3Client(engines, bucket, ["load", "put", file, "many", "1"]);
  for (const way of ["up", "down"] as const) {
    yield {
      title: `${clients} clients at once, 1 MiB each, ${way}`,
      unit: "s",
      better: "less",
      bases: [oneMachine, oneNode, bareClient],
      columns: ["failed", ...cpuColumns(engines)],
      entries: [
        byCurl(oneMachine, way, [machine], tokens.get(machine)!),
        byCurl(oneNode, way, [a], tokens.get(a)!),
        byCurl(twoNodes, way, [a, b], tokens.get(a)!),
        {
          name: bareClient,
          kind: "floor",
          run: () => {
            const args = way === "up" ? ["put", file, "many"] : ["get", file, "many-0"];
            const load = ["load", ...args, String(clients)];
            return measure(engines, { pids: [] }, () => runS3Client(engines, bucket, load));
          },
        },
      ],
    };
  }

  /** The clients are spread over the servers. */
  function byCurl(
    name: string,
    way: "up" | "down",
    servers: readonly Bench[],
    token: string,
  ): Entry {
    const pids = servers.map(({ server }) => server.pid);
    return {
      name,
      kind: "ours",
      async run(round) {
        let failed = 0;
        const sample = await measure(engines, { pids }, async () => {
          const began = performance.now();
          failed = await runClients(way, servers, token, round);
          return (performance.now() - began) / 1000;
        });
        return { ...sample, more: { ...sample.more, failed } };
      },
    };
  }

  /** @returns the number of failed transfers */
  async function runClients(
    way: "up" | "down",
    servers: readonly Bench[],
    token: string,
    round: number,
  ): Promise<number> {
    const lines = Array.from({ length: clients }, (_, i) => {
      const files = `http://${servers[i % servers.length].facts.http}/api/v1/files/home`;
      return way === "up"
        ? `upload-file = "${file}"\nurl = "${files}/many-${round}-${i}"\noutput = "/dev/null"\n`
        : `url = "${files}/one"\noutput = "/dev/null"\n`;
    });
    await Deno.writeTextFile(`${work}/curl.conf`, lines.join(""));
    const parallel = ["--parallel", "--parallel-immediate", "--parallel-max", String(clients)];
    const format = `%{exitcode} %{size_${way}load}\\n`;
    const { stdout } = await capture(curl!, [
      ...["-s", "--fail", ...parallel, "--max-time", "60", "-w", format],
      ...["-u", `bench:${token}`, "-K", `${work}/curl.conf`],
    ]);
    return clients - stdout.split("\n").filter((line) => line === `0 ${fileBytes}`).length;
  }
}
