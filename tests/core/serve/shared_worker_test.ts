/** A worker of a node that keeps its files elsewhere: its permissions, seen from inside. */
import assert from "node:assert/strict";
import { hasEngines, SharedSetup } from "../../contract/store/_shared.ts";
import { type Server, type ServerOptions, startServer } from "../../_server.ts";
import { eager, pattern, Peer, sha256 } from "../door/_peer.ts";
import { makeAuthority } from "../net/_authority.ts";
import { TlsFront } from "../shared/_tls_front.ts";

/** Expects that the workers of a node can use the storage that the options name, and touch nothing else. */
async function check(setup: SharedSetup, store: readonly string[]): Promise<void> {
  using elsewhere = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const options: ServerOptions = { store, args: ["--workers", "1"] };
  await setup.addAccount("anna", null);
  const token = await setup.issueToken("anna");
  {
    const fault = `probe=${(elsewhere.addr as Deno.NetAddr).port}`;
    await using server = await startServer({ ...options, fault });
    await server.said("}.\n");
    const [, json] = /^probed (.*)\.$/m.exec(server.stderr())!;
    const outcome: Record<string, string> = JSON.parse(json);
    assert(Object.keys(outcome).length > 50, json);
    const others = Object.entries(outcome).filter(([, what]) => !/^(refused|gone)$/.test(what));
    assert.deepEqual(others, []);
    await transfer(server, token);
  }
  await using server = await startServer(options); // the program under test
  await transfer(server, token);
}

async function transfer({ address }: Server, token: string): Promise<void> {
  using peer = await Peer.open(address, token);
  const bytes = pattern(200_000);
  await peer.ask(eager("/home/f", bytes));
  assert.equal((await peer.ask({ verb: "get", path: "/home/f" })).sha256, sha256(bytes));
  for await (const _ of peer.reader.body()) { /* the digest is enough */ }
  await peer.answer();
}

Deno.test({
  name: "a worker on shared storage may touch no file, and connect only to the two engines",
  ignore: !hasEngines,
  async fn() {
    await using setup = await SharedSetup.make();
    await check(setup, await setup.serveOptions({ host: "localhost" }));
  },
});

/** Names of this machine in a URL, and the same as addresses to listen at. */
const hosts = { localhost: "127.0.0.1", "[::1]": "::1" };

for (const [host, address] of Object.entries(hosts)) {
  Deno.test({
    name: `the same holds for engines with TLS of an authority of their own, at ${host}`,
    ignore: !hasEngines,
    async fn() {
      await using setup = await SharedSetup.make();
      const [authority, other] = await Promise.all([makeAuthority(), makeAuthority()]);
      const pair = await authority.issue(["localhost", "127.0.0.1", "::1"]);
      const { postgres } = setup;
      const s3 = new URL(setup.bucket.url);
      await using first = await TlsFront.start({
        host: address,
        pair,
        target: { host: postgres.host, port: postgres.port },
        isPostgres: true,
      });
      await using second = await TlsFront.start({
        host: address,
        pair,
        target: { host: s3.hostname, port: Number(s3.port) },
        isPostgres: false,
      });
      const store = await setup.serveOptions({
        postgres: first.port,
        s3: second.port,
        host,
        authority: other.cert + authority.cert,
      });
      await check(setup, store);
    },
  });
}
