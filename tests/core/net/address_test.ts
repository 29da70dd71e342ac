import assert from "node:assert/strict";
import fc from "fast-check";
import { BargeError } from "../../../core/error.ts";
import { formatAddress, isLoopback, parseAddress } from "../../../core/net/address.ts";

Deno.test("addresses are read in every form", () => {
  const cases: [string, string, number][] = [
    ["127.0.0.1:7171", "127.0.0.1", 7171],
    ["example.org:80", "example.org", 80],
    [":7171", "here", 7171],
    ["7171", "here", 7171],
    ["0", "here", 0],
    ["[::1]:65535", "::1", 65535],
    ["[fe80::1]:1", "fe80::1", 1],
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
