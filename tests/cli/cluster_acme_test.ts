/** Certificates by ACME on nodes that share their storage: one orders, any answers, all show the new one. */
import assert from "node:assert/strict";
import { hasEngines } from "../contract/store/_shared.ts";
import { until } from "../_observe.ts";
import type { Server } from "../_server.ts";
import { Home, lines } from "./_barge.ts";
import { Nodes } from "./_nodes.ts";
import { hasPebble, Pebble } from "./_pebble.ts";
import { isPebbles, shownBy } from "./_shown.ts";

const ignore = !hasEngines || !hasPebble;

/** Starts two nodes. The first one orders, once the authority goes on; the second one answers the challenge. */
async function startNodes(nodes: Nodes, pebble: Pebble): Promise<readonly [Server, Server]> {
  pebble.ca.hang();
  const args = ["--tls", "--acme-http", "127.0.0.1:0", ...pebble.args, "--acme", "a.example"];
  const a = await nodes.start({ args: [...args, "--node-name", "a"] });
  const leases = "SELECT count(*)::int AS n FROM lease";
  await until(async () => (await nodes.row<{ n: number }>(leases)).n > 0);
  const b = await nodes.start({ args: [...args, "--node-name", "b"] });
  pebble.lead({ http: b.facts.acmeHttp });
  return [a, b];
}

Deno.test("one node renews for all, another one answers, and both show the new certificate", {
  ignore,
}, async () => {
  await using pebble = await Pebble.start({ validSeconds: 12 });
  await using nodes = await Nodes.make();
  const [a, b] = await startNodes(nodes, pebble);
  pebble.ca.resume();
  await a.said("was issued");
  const first = await until(async () => {
    const shown = await shownBy(b.address);
    return isPebbles(shown) ? shown.fingerprint256 : undefined;
  });
  await until(async () => {
    const both = await Promise.all([a, b].map(({ address }) => shownBy(address)));
    return both.every(({ fingerprint256 }) =>
      fingerprint256 === both[0].fingerprint256 && fingerprint256 !== first
    );
  });
  assert.match(pebble.output, /There are now 1 accounts/);
  assert.doesNotMatch(pebble.output, /There are now 2 accounts/);
  const issued = [a, b].flatMap((node) => node.stderr().match(/was issued/g) ?? []).length;
  const made = pebble.output.match(/Issued certificate serial/g)!.length;
  assert.ok(made - issued <= 1, `${made} were made, and ${issued} are known`);

  await using home = new Home();
  const options = await nodes.setup.serveOptions();
  const [status] = lines(await home.barge(["status", "--json", ...options]));
  assert.deepEqual(status.certificate.renewal.domains, ["a.example"]);
  const [shown] = lines(await home.barge(["cert", "--json", ...options]));
  assert.deepEqual(shown.names, ["a.example"]);
  const { n } = await nodes.row<{ n: number }>(
    "SELECT count(*)::int AS n FROM secret WHERE name LIKE 'acme/%' " +
      "AND encode(sealed, 'escape') ~ 'BEGIN|a.example'",
  );
  assert.equal(n, 0);
});

Deno.test("a node takes over the order of one that was killed, when its lease has ended", {
  ignore,
}, async () => {
  await using pebble = await Pebble.start();
  await using nodes = await Nodes.make();
  const [a, b] = await startNodes(nodes, pebble);
  pebble.http.hang();
  pebble.ca.resume();
  await until(async () =>
    (await nodes.row<{ n: number }>(
      "SELECT count(*)::int AS n FROM secret WHERE name LIKE 'acme/challenges/%'",
    )).n > 0
  );
  await a.kill("SIGKILL");
  pebble.http.resume();
  await nodes.row("UPDATE lease SET until = now() - interval '1 s' RETURNING name");
  await b.said("was issued");
  assert.doesNotMatch(pebble.output, /There are now 2 (accounts|orders)/);
});
