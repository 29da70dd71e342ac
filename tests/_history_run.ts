/** Runs a history: clients on three nodes, faults, and the checks at the end. */
import assert from "node:assert/strict";
import type { OwnEngines } from "./_engines.ts";
import { Nodes } from "./cli/_nodes.ts";
import { type History, HistoryClient } from "./_history.ts";
import { until } from "./_observe.ts";
import { Random } from "./_random.ts";
import type { Server } from "./_server.ts";
import type { Proxy } from "./core/shared/_proxy.ts";

export interface HistoryOptions {
  readonly seconds: number;
  readonly clients: number;
  readonly seed: number;
  readonly say: (line: string) => void;
  /** Engines of its own, which it stops, kills and freezes. Undefined: proxies cut off those of the environment. */
  readonly engines?: OwnEngines;
}

const nodeCount = 3;
const maxQuietMs = 1_500;
/** An engine hangs for up to this time: longer than the deadline of a statement. */
const maxHangMs = 7_000;
/** An engine's answers are lost for up to this time, and this share of them. */
const maxLossyMs = 4_000;
const lostAnswers = 0.1;
/** The time for which an engine is stopped with SIGSTOP. */
const freezeMs = 30_000;
/** The same for a node, at most: longer than the lease of its uploads. */
const maxNodeFreezeMs = 15_000;

/** Faults by their weights. Those of the second list need engines of their own. */
const proxyFaults = [
  ...["kill node", "kill node", "kill node while engine hangs", "freeze node"],
  ...["cut", "cut", "hang", "refuse", "lose answers"],
];
const engineFaults = [
  ...["restart postgres", "restart postgres", "stop postgres"],
  ...["kill radosgw", "kill radosgw", "freeze engine"],
];

/** @throws {Error} where a promise is broken */
export async function runHistory(
  { seconds, clients, seed, say, engines }: HistoryOptions,
): Promise<void> {
  await using nodes = await Nodes.make(engines?.addresses);
  const running: (Server | undefined)[] = [];
  const start = async (i: number) => running[i] = await nodes.start({ proxied: true });
  await Promise.all(Array.from({ length: nodeCount }, (_, i) => start(i)));
  const addresses = () => running.flatMap((server) => server?.address ?? []);
  const failure = new AbortController();
  const end = performance.now() + seconds * 1000;
  const stopped = () => performance.now() > end || failure.signal.aborted;
  const history: History = { addresses, stopped, counts: new Map(), published: new Set() };
  const all: HistoryClient[] = [];
  for (let i = 0; i < clients; i++) {
    const token = await nodes.addUser(`user${i}`);
    all.push(new HistoryClient(history, token, new Random(seed + i)));
  }

  const working = Promise.all(all.map((client) => client.run())).catch((error) => {
    failure.abort();
    throw error;
  });
  working.catch(() => {/* awaited below */});
  const random = new Random(seed - 1);
  const began = performance.now();
  while (!stopped()) {
    await pause(random.below(maxQuietMs));
    const i = random.below(nodeCount);
    const engine = random.pick(["postgres", "s3"] as const);
    const fault = random.pick([...proxyFaults, ...engines ? engineFaults : []]);
    const on = fault.includes("node")
      ? ` ${i}`
      : /postgres|radosgw/.test(fault)
      ? ""
      : ` ${engine}`;
    say(`${((performance.now() - began) / 1000).toFixed(1)} s: ${fault}${on}`);
    if (fault.startsWith("kill node")) {
      const server = running[i]!;
      if (fault !== "kill node") nodes[engine].hang();
      await pause(random.below(500));
      running[i] = undefined;
      await server.kill("SIGKILL");
      heal(nodes[engine]);
      await start(i);
    } else if (fault === "freeze node") {
      running[i]!.process.kill("SIGSTOP");
      await pause(random.below(maxNodeFreezeMs));
      running[i]!.process.kill("SIGCONT");
    } else if (engineFaults.includes(fault)) await disturbEngine(engines!, fault, engine, random);
    else await disturb(nodes[engine], fault, random);
  }
  await working;
  for (const [outcome, n] of [...history.counts].sort()) {
    say(`${String(n).padStart(8)}  ${outcome}`);
  }

  for (const server of running) assert.equal(await server!.kill("SIGTERM"), 0, server!.stderr());
  await check(nodes, all);
  say("each acknowledged file is there, the sums agree, and no object is nobody's");
}

async function disturbEngine(
  engines: OwnEngines,
  fault: string,
  engine: "postgres" | "s3",
  random: Random,
): Promise<void> {
  if (fault === "restart postgres") return await engines.do("restart", "postgres");
  if (fault === "freeze engine") {
    const frozen = engine === "s3" ? "radosgw" : "postgres";
    await engines.do("freeze", frozen);
    await pause(freezeMs);
    return await engines.do("thaw", frozen);
  }
  const [verb, stopped] = fault === "stop postgres"
    ? ["stop", "postgres"] as const
    : ["kill", "radosgw"] as const;
  await engines.do(verb, stopped);
  await pause(random.below(maxQuietMs));
  await engines.do("start", stopped);
}

async function disturb(proxy: Proxy, fault: string, random: Random): Promise<void> {
  if (fault === "cut") return proxy.cut();
  if (fault === "hang") {
    proxy.hang();
    await pause(random.below(maxHangMs));
    return heal(proxy);
  }
  if (fault === "lose answers") {
    proxy.rules = { onSent: () => random.chance(lostAnswers) ? "cut" : "pass" };
    await pause(random.below(maxLossyMs));
    proxy.rules = {};
    return;
  }
  proxy.refuse();
  await pause(random.below(maxQuietMs));
  proxy.listen();
}

/** Ends a hang, and cuts some connections whose answers came too late. */
function heal(proxy: Proxy): void {
  proxy.resume();
  proxy.cut();
}

async function check(nodes: Nodes, clients: readonly HistoryClient[]): Promise<void> {
  // The database ends the transactions of dead nodes by itself.
  await until(async () => {
    const { n } = await nodes.row<{ n: number }>(
      `SELECT count(*) AS n FROM pg_stat_activity WHERE datname = current_database()
         AND pid <> pg_backend_pid() AND state <> 'idle'`,
    );
    return n === 0;
  });
  const node = await nodes.start();
  for (const client of clients) await client.check(node.address);
  await nodes.setup.check();
  await nodes.setup.verify();
  await nodes.assertNoGarbage();
}

async function pause(ms: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, ms));
}
