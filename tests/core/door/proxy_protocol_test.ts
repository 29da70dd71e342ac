/** The doors behind a TCP proxy that sends PROXY headers, from 127.0.0.2; clients elsewhere. */
import assert from "node:assert/strict";
import { ProxiedListener } from "../../../core/net/listen_proxied.ts";
import { Networks } from "../../../core/net/networks.ts";
import { barge, type Server, startServer } from "../../_server.ts";
import { doors, ftp, portOf } from "./_enter.ts";
import { binaryFor, lineFor, Relay } from "./_relay.ts";
import { Wire } from "./ftp/_client.ts";

const proxy = "127.0.0.2";

async function bans(server: Server): Promise<string[]> {
  const { stdout } = await barge(["ban", "list", "--json", ...server.storage]);
  return stdout.split("\n").filter(Boolean).map((line) => JSON.parse(line))
    .filter(({ account }) => account === null).map(({ address }) => address).sort();
}

Deno.test("behind a TCP proxy every door bans, logs and serves the true address", async (t) => {
  const at = "127.0.0.1:0";
  await using server = await startServer({
    args: [
      ...["--ftp", at, "--ftps", at, "--sftp", at, "--workers", "1", "--ban-after", "2"],
      ...[
        "--trusted-proxy",
        `192.0.2.0/24,${proxy}`,
        "--proxy-protocol",
        "--durability",
        "relaxed",
      ],
    ],
  });
  await server.addUser("anna");
  const token = await server.issueToken("anna");
  const check = async (name: keyof typeof doors, n: number) => {
    const enter = doors[name];
    const address = server.facts[name]!;
    // The native door takes a token by another exchange; at the others, a password takes an scrypt.
    const secret = name === "native" ? "anna-secret" : token;
    const [bad, good] = [`203.0.113.${n}`, `198.51.100.${n}`];
    await using relay = await Relay.start(address, lineFor(bad), proxy);
    for (let i = 0; i < 2; i++) {
      assert.equal(await enter(relay.address, `nobody${n}`, "wrong"), false);
    }
    relay.header = binaryFor(bad);
    assert.equal(await enter(relay.address, "anna", "anna-secret"), false, "not banned");
    relay.header = binaryFor(good);
    assert.equal(await enter(relay.address, "anna", "anna-secret"), true, "also banned");
    await server.said(`"address":"${good}:40000"`);
    // Not from the proxy: its own address counts, and it may send no header.
    assert.equal(await enter(address, "anna", secret), true);
    for (const header of [lineFor(good), binaryFor(good)]) {
      using forger = await Wire.open(portOf(address), "127.0.0.3");
      await forger.send(header);
      assert.doesNotMatch(String(await forger.rest()), /^230/m); // and it is closed
    }
    // From the proxy, and without one.
    for (
      const text of ["USER anna\r\n", "SSH-2.0-x\r\n", "\0\0\0\x02{}", "PROXY TCP4 1.2.3.4\r\n"]
    ) {
      using silent = await Wire.open(portOf(address), proxy);
      await silent.send(text);
      assert.equal(String(await silent.rest()), "", text);
    }
    // The proxy looks whether the server is there: as itself.
    for (const header of [binaryFor(good, 0), "PROXY UNKNOWN\r\n"]) {
      relay.header = header;
      assert.equal(await enter(relay.address, "anna", secret), true);
    }
  };
  // All doors at once: failed logins are answered late.
  const names = ["native", "ftp", "ftps", "sftp"] as const;
  await Promise.all(names.map((name, i) => check(name, i + 1)));
  assert.deepEqual(await bans(server), names.map((_, i) => `203.0.113.${i + 1}`));
  await t.step("FTP's data connections", async () => {
    await using relay = await Relay.start(server.facts.ftp!, lineFor("198.51.100.77"), proxy);
    using wire = await Wire.open(relay.port);
    assert.ok(await ftp(wire, "anna", token));
    await wire.send("EPSV\r\n");
    const [, port] = /\|\|\|(\d+)\|/.exec(await wire.line() ?? "")!;
    await wire.send("LIST\r\n");
    // Another client of the same proxy, and one that is none.
    await using other = await Relay.start(`127.0.0.1:${port}`, lineFor("198.51.100.78"), proxy);
    for (const from of [other.port, Number(port)]) {
      using wire = await Wire.open(from);
      assert.equal(String(await wire.rest()), "");
    }
    other.header = lineFor("198.51.100.77", 40_001);
    using listing = await Wire.open(other.port);
    await listing.rest();
    assert.match(await wire.line() ?? "", /^150/);
    assert.match(await wire.line() ?? "", /^226/);
  });
  assert.match(server.stderr(), /127\.0\.0\.2:\d+.*no PROXY header/);
});

Deno.test("over TLS the header comes before the handshake", async () => {
  await using server = await startServer({
    args: ["--tls", "--workers", "1", "--trusted-proxy", proxy, "--proxy-protocol"],
  });
  await using relay = await Relay.start(server.address, binaryFor("198.51.100.9"), proxy);
  const home = await Deno.makeTempDir({ prefix: "barge-home-" });
  const ping = (address: string) =>
    barge(["ping", "--tls", "--pin", server.facts.fingerprint!, `barge://${address}`], {
      env: { HOME: home },
    });
  for (const address of [relay.address, server.address]) {
    const { code, stderr } = await ping(address);
    assert.equal(code, 0, stderr);
  }
  await server.said('"address":"198.51.100.9:40000"');
  relay.header = "";
  assert.notEqual((await ping(relay.address)).code, 0);
  await Deno.remove(home, { recursive: true });
});

Deno.test("a proxy that sends half a header is cut, and keeps nobody waiting", async () => {
  const failures: string[] = [];
  const listener = new ProxiedListener(Deno.listen({ hostname: "127.0.0.1", port: 0 }), {
    trusted: new Networks(["127.0.0.1"]),
    timeoutMs: 50,
    onFailure: (_, why) => failures.push(why),
  });
  const { port } = listener.addr;
  using silent = await Wire.open(port);
  await silent.send("PROXY TC");
  using client = await Wire.open(port);
  await client.send(`${lineFor("192.0.2.7")}hello`);
  const conn = await listener.accept();
  assert.deepEqual(conn.remoteAddr, { transport: "tcp", hostname: "192.0.2.7", port: 40_000 });
  const into = new Uint8Array(3);
  assert.equal(await conn.read(into), 3);
  assert.equal(new TextDecoder().decode(into), "hel");
  assert.equal(String(await silent.rest()), "");
  assert.match(failures.join(), /did not come in 0\.05 s/);
  conn.close();
  listener.close();
});

Deno.test("PROXY headers without anybody who may send them are refused as an option", async () => {
  const { code, stderr } = await barge(["serve", "--proxy-protocol", "--data", "/nonexistent/x"]);
  assert.equal(code, 2, stderr);
  assert.match(stderr, /--trusted-proxy/);
});
