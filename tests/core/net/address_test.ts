import assert from "node:assert/strict";
import fc from "fast-check";
import { BargeError } from "../../../core/error.ts";
import { formatAddress, isLoopback, network, parseAddress } from "../../../core/net/address.ts";
import { Networks } from "../../../core/net/networks.ts";
import { clientOf } from "../../../core/net/forwarded.ts";

Deno.test("addresses are read in every form", () => {
  const cases: [string, string, number][] = [
    ["127.0.0.1:7171", "127.0.0.1", 7171],
    ["example.org:80", "example.org", 80],
    [":7171", "here", 7171],
    ["7171", "here", 7171],
    ["0", "here", 0],
    ["[::1]:65535", "::1", 65535],
    ["[fe80::1]:1", "fe80::1", 1],
    ["unix:/run/barge/a b.sock", "unix:/run/barge/a b.sock", 0],
    ["unix:", "unix:", 0],
  ];
  for (const [text, host, port] of cases) {
    assert.deepEqual(parseAddress(text, "here"), { host, port }, text);
  }
  assert.equal(parseAddress("1").host, "127.0.0.1");
});

Deno.test("an invalid address is a usage error with an example", () => {
  for (
    const text of [
      "",
      ":",
      "host",
      "host:",
      "host:65536",
      "host:-1",
      "host:1x",
      "::1:80",
      "[::1]",
      "a b:1",
      "user@host:1",
      "http://h:1",
      "h:1\n",
    ]
  ) {
    assert.throws(
      () => parseAddress(text),
      (e) =>
        e instanceof BargeError && e.kind === "usage" && e.message.includes("HOST:PORT") &&
        e.hint !== undefined,
      JSON.stringify(text),
    );
  }
});

Deno.test("any text is an address or a usage error", () => {
  fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => {
    try {
      const { host, port } = parseAddress(text);
      assert.ok(host !== "" && port >= 0 && port <= 65535);
    } catch (e) {
      assert.ok(e instanceof BargeError && e.kind === "usage");
    }
  }));
});

Deno.test("written fields are read back", () => {
  const host = fc.oneof(fc.ipV4(), fc.ipV6(), fc.domain());
  fc.assert(fc.property(host, fc.nat(65535), (host, port) => {
    assert.deepEqual(parseAddress(formatAddress({ host, port })), { host, port });
  }));
});

Deno.test("loopback addresses are recognized in every form", () => {
  for (const host of ["localhost", "::1", "127.0.0.1", "127.1.2.3"]) assert.ok(isLoopback(host));
  for (const host of ["0.0.0.0", "::", "10.0.0.1", "127.0.0.1.example.org", "localhost.example"]) {
    assert.ok(!isLoopback(host), host);
  }
});

Deno.test("the path of a Unix socket is absolute, of one line and at most 107 bytes", () => {
  assert.equal(parseAddress(`unix:/${"x".repeat(106)}`).port, 0);
  for (const path of ["relative", "/run/", "/a\n", "/a\0", `/${"ü".repeat(54)}`]) {
    assert.throws(() => parseAddress(`unix:${path}`), { kind: "usage" }, path);
  }
});

Deno.test("a peer at a Unix socket is on this machine, and a trusted proxy only if it is named", () => {
  assert.ok(isLoopback("unix:") && isLoopback("unix:/run/a.sock"));
  assert.equal(network("unix:"), "unix:");
  assert.notEqual(network("unix:"), network("127.0.0.1"));
  const all = new Networks(["127.0.0.0/8", "::/1", "8000::/1", "0.0.0.0/1", "128.0.0.0/1"]);
  assert.ok(!all.has("unix:"));
  assert.equal(clientOf("unix:", "192.0.2.1", all), "unix:");
  const trusted = new Networks(["unix:"]);
  assert.ok(trusted.has("unix:") && !trusted.empty && !trusted.has("127.0.0.1"));
  assert.equal(clientOf("unix:", "192.0.2.66, 192.0.2.1", trusted), "192.0.2.1");
  // A client can't name the socket to become trusted.
  assert.equal(clientOf("unix:", "192.0.2.66, unix:", trusted), "unix:");
});
