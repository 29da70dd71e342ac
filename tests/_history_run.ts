/** Runs a history: clients on three nodes, faults, and the checks at the end. */
import assert from "node:assert/strict";
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
}

const nodeCount = 3;
const maxQuietMs = 1_500;
/** An engine hangs for up to this time: longer than the deadline of a statement. */
const maxHangMs = 7_000;
/** An engine's answers are lost for up to this time, and this share of them. */
const maxLossyMs = 4_000;
const lostAnswers = 0.1;

/** @throws {Error} where a promise is broken */
export async function runHistory({ seconds, clients, seed, say }: HistoryOptions): Promise<void> {
  await using nodes = await Nodes.make();
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
  while (!stopped()) {
    await pause(random.below(maxQuietMs));
    const i = random.below(nodeCount);
    const kill = async () => {
      const server = running[i]!;
      running[i] = undefined;
      await server.kill("SIGKILL");
    };
    const engine = random.pick(["postgres", "s3"] as const);
    const fault = random.pick([
      "kill",
      "kill while it hangs",
      "cut",
      "hang",
      "refuse",
      "lose answers",
    ]);
    say(`${fault} ${fault === "kill" ? `node ${i}` : engine}`);
    if (fault.startsWith("kill")) {
      if (fault !== "kill") nodes[engine].hang();
      await pause(random.below(500));
      await kill();
      heal(nodes[engine]);
      await start(i);
    } else await disturb(nodes[engine], fault, random);
  }
  await working;
  for (const [outcome, n] of [...history.counts].sort()) {
    say(`${String(n).padStart(8)}  ${outcome}`);
  }

  for (const server of running) assert.equal(await server!.kill("SIGTERM"), 0, server!.stderr());
  await check(nodes, all);
  say("each acknowledged file is there, the sums agree, and no object is nobody's");
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
