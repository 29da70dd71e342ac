/**
 * Contest `echo`: echo servers under one generator. That is a small one in C, or, without a
 * compiler, barge's own, which uses a whole core at about half the rate and is the limit for fast
 * servers.
 */
import { fileURLToPath } from "node:url";
import { load } from "../../core/bench/load.ts";
import { familyMemory } from "../process_memory.ts";
import { bargeCommand } from "../program.ts";
import type { Workspace } from "./workspace.ts";
import type { Contest, Entry, Sample } from "./contest.ts";
import { capture, freePort, serve } from "./process.ts";

type Transport = "tcp" | "udp";
type Command = readonly [string, readonly string[]];

const here = (name: string) => fileURLToPath(new URL(`./${name}`, import.meta.url));
const sockets = 64;

export async function* echo(workspace: Workspace): AsyncGenerator<Contest> {
  const c = await compile(workspace);
  const { python3, node } = workspace.tools;
  for (const transport of ["tcp", "udp"] as const) {
    const entry = (
      name: string,
      command: false | "" | undefined | ((port: string) => Command),
      kind: Entry["kind"] = "peer",
    ): Entry | undefined =>
      command
        ? { name, kind, run: () => drive(workspace, transport, command, c?.load) }
        : undefined;
    const barge = (workers: number) => (port: string): Command => {
      const more = workers === 1 ? [] : ["--workers", String(workers)];
      return bargeCommand([`echo-${transport}`, "-q", `127.0.0.1:${port}`, ...more]);
    };
    const python = (how: string) =>
      python3 &&
      ((port: string): Command => [python3, [here("echo_asyncio.py"), how, port]]);
    const tcp = transport === "tcp";
    const amount = tcp ? `${workspace.scale.connections} connections` : `${sockets} sockets`;
    const by = c ? "" : ", by barge's own generator";
    yield {
      title: `${transport.toUpperCase()} echo, ${amount} with 64 bytes under way on each${by}`,
      unit: "answers/s",
      digits: 0,
      better: "more",
      rounds: 3,
      columns: ["p50 ms", "p99.9 ms", "fairness", "lost or wrong", "MiB"],
      entries: [
        entry("barge, one worker", barge(1), "ours"),
        // A UDP port can't be shared.
        tcp ? entry("barge, two workers", barge(2), "ours") : undefined,
        entry(tcp ? "C, epoll" : "C", c && ((port) => [c.echo, [transport, port]])),
        entry(tcp ? "Python, asyncio protocol" : "Python, plain loop", python(transport)),
        tcp ? entry("Python, asyncio streams", python("streams")) : undefined,
        entry(
          `Node, ${tcp ? "net" : "dgram"}`,
          node && ((port) => [node, [here("echo_node.mjs"), transport, port]]),
        ),
      ],
    };
  }
}

/** Compiles the programs in C. @returns undefined without a compiler */
async function compile(
  { tools: { gcc }, work }: Workspace,
): Promise<{ readonly echo: string; readonly load: string } | undefined> {
  if (!gcc) return undefined;
  for (const name of ["echo", "load"]) {
    const args = ["-O2", "-o", `${work}/${name}`, here(`${name}.c`)];
    if (!(await capture(gcc, args)).success) return undefined;
  }
  return { echo: `${work}/echo`, load: `${work}/load` };
}

async function drive(
  workspace: Workspace,
  transport: Transport,
  command: (port: string) => Command,
  generator: string | undefined,
): Promise<Sample> {
  const { scale } = workspace;
  const port = freePort();
  const [program, args] = command(String(port));
  await using server = await serve(program, args, port, { silent: transport === "udp" });
  const connections = transport === "tcp" ? scale.connections : sockets;
  const result = generator
    ? await byC(generator, transport, port, connections, scale.seconds)
    : await byBarge(transport, port, connections, scale.seconds);
  if (result.rate === 0) throw new Error("no answers");
  return {
    value: result.rate,
    more: {
      "p50 ms": result.p50,
      "p99.9 ms": result.p999,
      fairness: result.fairness,
      "lost or wrong": result.lost + result.wrong,
      MiB: familyMemory(server.pid),
    },
  };
}

interface Result {
  readonly rate: number;
  readonly p50: number;
  readonly p999: number;
  readonly fairness: number;
  readonly lost: number;
  readonly wrong: number;
}

async function byC(
  generator: string,
  transport: Transport,
  port: number,
  connections: number,
  seconds: number,
): Promise<Result> {
  const args = [transport, String(port), String(connections), String(seconds)];
  const { success, stdout, stderr } = await capture(generator, args);
  if (!success) throw new Error(stderr);
  return JSON.parse(stdout);
}

async function byBarge(
  transport: Transport,
  port: number,
  connections: number,
  seconds: number,
): Promise<Result> {
  const address = { host: "127.0.0.1", port };
  const result = await load({
    target: { kind: transport, address, size: 64, verify: true, timeout: 5000 },
    address: `127.0.0.1:${port}`,
    connections,
    workers: 1,
    duration: seconds * 1000,
    requests: undefined,
    rate: undefined,
    warmUp: 500,
    timeout: 2000,
    signal: new AbortController().signal,
  });
  const { latency, fairness, failures: { lost = 0 }, errors } = result;
  return {
    rate: result.requestsPerSecond,
    p50: latency.p50,
    p999: latency["p99.9"],
    fairness,
    lost,
    wrong: errors - lost,
  };
}
