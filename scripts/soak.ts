/**
 * `deno task soak [--seconds 120] [--clients 200] [--seed N]`: runs clients with random requests
 * that cut their connections (tests/_soak.ts) against two workers that die every few seconds, on a
 * server that is killed with -9 after each third of the time. At the end every acknowledged file must
 * have its digest, `quota verify` must find nothing, and the used bytes must be the sum of the sizes.
 */
import assert from "node:assert/strict";
import { Random } from "../tests/_random.ts";
import { barge, type Server, startServer } from "../tests/_server.ts";
import { Client, type Running, sharedNames } from "../tests/_soak.ts";
import { Peer } from "../tests/core/door/_peer.ts";
import { numbers, say } from "./run.ts";

const accounts = ["anna", "bob", "carla", "dora", "emil"];
/** The quota of each account, in bytes; some uploads do not fit. */
const quota = 12_000_000;

const { seconds, clients, seed } = numbers(Deno.args, {
  seconds: 120,
  clients: 200,
  seed: Date.now() % 1e9,
});
say(`${clients} clients for ${seconds} s, seed ${seed}`);

const data = await Deno.makeTempDir({ prefix: "barge-soak-" });
const counts = new Map<string, number>();
const shared = new Set<string>();
let number = 0;
let server: Server | undefined;
let next = Promise.withResolvers<Running | undefined>();
let log = "";

async function start(): Promise<void> {
  server = await startServer({ data, args: ["--workers", "2"], fault: "die=8000" });
  next.resolve({ address: server.address, number: ++number });
}

async function end(signal: Deno.Signal): Promise<number> {
  const code = await server!.kill(signal);
  log += server!.stderr();
  return code;
}

try {
  await start();
  for (const name of accounts) await server!.addUser(name, { quota: `${quota}` });
  const tokens: string[] = [];
  for (const name of accounts) {
    for (let tries = 50; tokens.length <= accounts.indexOf(name); tries--) {
      const token = await server!.issueToken(name).catch((error) => {
        if (tries === 0) throw error; // a worker may die meanwhile
      });
      if (token) tokens.push(token);
    }
  }
  const soak = { server: () => next.promise, counts, shared };
  const all = Array.from(
    { length: clients },
    (_, i) => new Client(soak, i, tokens[i % tokens.length], new Random(seed + i)),
  );
  const running = Promise.all(all.map((client) => client.run()));
  const third = () =>
    Promise.race([new Promise((done) => setTimeout(done, seconds * 1000 / 3)), running]);
  for (let kills = 0; kills < 2; kills++) {
    await third();
    next = Promise.withResolvers();
    await end("SIGKILL");
    say(`killed with -9, ${clients} clients under way`);
    await start();
  }
  await third();
  next = Promise.withResolvers();
  next.resolve(undefined);
  await running;
  const code = await end("SIGTERM");
  say(`ended with ${code}; ${log.split("on purpose").length - 1} deaths of workers on the way`);
  for (const [label, n] of [...counts].sort()) say(`${String(n).padStart(8)}  ${label}`);
  assert.equal(code, 0);
  await check(all, tokens);
  say("every acknowledged file is complete, and the ledger is right");
} finally {
  await server?.kill("SIGKILL");
  await Deno.remove(data, { recursive: true });
}

async function check(all: readonly Client[], tokens: readonly string[]): Promise<void> {
  const verified = await barge(["quota", "verify", "--data", data]);
  say(verified.stdout.trim() + verified.stderr);
  assert.equal(verified.code, 0);
  const bad = log.split("\n").filter((line) => /"(ERROR|FATAL)"/.test(line))
    .filter((line) => !line.includes("on purpose"));
  bad.slice(0, 20).forEach(say);
  assert.equal(bad.length, 0, `${bad.length} errors in the log`);

  server = await startServer({ data });
  const { address } = server;
  const sums = tokens.map(() => 0);
  for (const [i, client] of all.entries()) sums[i % tokens.length] += await client.check(address);
  for (const [i, token] of tokens.entries()) {
    using peer = await Peer.open(address, token);
    for (const path of i === 0 ? sharedNames : []) {
      await peer.send({ verb: "stat", path });
      const { entry } = await peer.answer() as {
        entry?: { owner: string; size: number; sha256: string };
      };
      if (!entry) continue;
      assert.ok(shared.has(entry.sha256), `${path}: no client sent these bytes`);
      sums[accounts.indexOf(entry.owner)] += entry.size;
    }
  }
  for (const [i, token] of tokens.entries()) {
    using peer = await Peer.open(address, token);
    const { used, reserved } = await peer.ask({ verb: "quota" }) as Record<string, number>;
    assert.equal(used, sums[i], `${accounts[i]}: used and the sum of the sizes`);
    assert.ok(used + reserved <= quota, `${accounts[i]}: ${used} + ${reserved} of ${quota}`);
  }
}
