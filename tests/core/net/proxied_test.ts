/** Clients behind proxies: networks, X-Forwarded-For, and the PROXY protocol without a socket. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { BargeError } from "../../../core/error.ts";
import { clientOf } from "../../../core/net/forwarded.ts";
import { Networks } from "../../../core/net/networks.ts";
import { parseProxyHeader } from "../../../core/net/proxy_header.ts";
import { parsePublicUrl } from "../../../core/net/public_url.ts";

const usage = (error: unknown) => error instanceof BargeError && error.kind === "usage";
const protocol = (error: unknown) => error instanceof BargeError && error.kind === "protocol";
const bytes = (text: string) => Uint8Array.from(text, (c) => c.charCodeAt(0));

/** A header of version 2. */
function binary(command: number, family: number, body: number[], length = body.length) {
  return Uint8Array.of(
    ...bytes("\r\n\r\n\0\r\nQUIT\n"),
    ...[0x20 | command, family, length >> 8, length & 255],
    ...body,
  );
}

Deno.test("a network has its addresses, in every form, and no others", () => {
  const networks = new Networks(["127.0.0.1", "10.0.0.0/8", "2001:db8::/32"]);
  for (const host of ["127.0.0.1", "::ffff:127.0.0.1", "10.255.0.1", "2001:db8:1::7"]) {
    assert.ok(networks.has(host), host);
  }
  for (const host of ["127.0.0.2", "11.0.0.1", "::1", "2001:db9::1", "fe80::1%eth0", "?", ""]) {
    assert.ok(!networks.has(host), host);
  }
  for (
    const text of ["", "box", "10.0.0.0/33", "10.0.0.0/x", "10.0.0/8", "::/129", "1.2.3.4/8/8"]
  ) {
    assert.throws(() => new Networks([text]), usage, text);
  }
  for (const all of ["0.0.0.0/0", "::/0"]) assert.throws(() => new Networks([all]), usage, all);
});

Deno.test("the client is the last hop that is not trusted, whatever precedes it", () => {
  const trusted = new Networks(["127.0.0.1", "10.0.0.0/8"]);
  const client = (peer: string, field?: string) => clientOf(peer, field, trusted);
  assert.equal(client("192.0.2.1", "203.0.113.9"), "192.0.2.1"); // the peer is not trusted
  assert.equal(client("127.0.0.1"), "127.0.0.1");
  assert.equal(client("127.0.0.1", "203.0.113.9"), "203.0.113.9");
  assert.equal(client("::ffff:127.0.0.1", "203.0.113.9"), "203.0.113.9");
  assert.equal(client("127.0.0.1", "127.0.0.1, 203.0.113.9,10.0.0.4"), "203.0.113.9");
  assert.equal(client("127.0.0.1", "10.0.0.5, 10.0.0.4"), "10.0.0.5");
  assert.equal(client("127.0.0.1", "[2001:db8::1]:443"), "2001:db8::1");
  assert.equal(client("127.0.0.1", "203.0.113.9:5000"), "203.0.113.9");
  // Hops before one that is no address are not trusted.
  assert.equal(client("127.0.0.1", "203.0.113.9, unknown"), "127.0.0.1");
  assert.equal(client("127.0.0.1", "203.0.113.9, unknown, 10.0.0.4"), "10.0.0.4");
  assert.equal(client("127.0.0.1", ""), "127.0.0.1");
  // Only a proxy on this machine may name loopback.
  assert.equal(client("10.0.0.4", "127.0.0.1"), "10.0.0.4");
  assert.equal(client("10.0.0.4", "::1"), "10.0.0.4");
  assert.equal(client("127.0.0.1", "127.0.0.3"), "127.0.0.3");
  fc.assert(fc.property(fc.string(), (forged) => {
    assert.equal(client("127.0.0.1", `${forged}, 203.0.113.9`), "203.0.113.9");
  }));
});

Deno.test("PROXY headers of both versions name the client and the address that it reached", () => {
  const ends = (header: Uint8Array) => parseProxyHeader(header)?.ends;
  const line = "PROXY TCP6 2001:db8::7 ::1 65535 1\r\n";
  assert.equal(parseProxyHeader(bytes(`${line}hello`))?.length, line.length);
  assert.deepEqual(ends(bytes(line)), {
    source: { host: "2001:db8::7", port: 65535 },
    destination: { host: "::1", port: 1 },
  });
  assert.equal(ends(bytes("PROXY UNKNOWN\r\n")), undefined);
  assert.equal(parseProxyHeader(bytes("PROXY UNKNOWN ffff:f::1 x 1 2\r\n"))!.ends, undefined);
  const four = [192, 0, 2, 7, 198, 51, 100, 1, 0x12, 0x34, 0, 21];
  assert.deepEqual(ends(binary(1, 0x11, [...four, 4, 0, 1, 0])), { // one TLV behind it
    source: { host: "192.0.2.7", port: 0x1234 },
    destination: { host: "198.51.100.1", port: 21 },
  });
  const six = [0x20, 1, 0xd, 0xb8, ...Array(11).fill(0), 7, ...Array(15).fill(0), 1, 0, 80, 0, 22];
  assert.deepEqual(ends(binary(1, 0x21, six)), {
    source: { host: "2001:db8::7", port: 80 },
    destination: { host: "::1", port: 22 },
  });
  const local = parseProxyHeader(binary(0, 0x11, four))!;
  assert.deepEqual([local.length, local.ends], [28, undefined]);
  assert.equal(ends(binary(1, 0, [])), undefined);
});

Deno.test("a header is read to its end, and anything else is refused at once", () => {
  for (const header of [bytes("PROXY TCP4 1.2.3.4 5.6.7.8 9 10\r\n"), binary(0, 0, [1, 2])]) {
    for (let n = 0; n < header.length; n++) {
      assert.equal(parseProxyHeader(header.subarray(0, n)), undefined, String(n));
    }
    assert.equal(parseProxyHeader(header)?.length, header.length);
  }
  for (
    const text of [
      ...["GET / HTTP/1.1\r\n", "P R", "proxy TCP4", "\r\n\r\nx", "\0\0\0\x05{}", "SSH-2.0-x\r\n"],
      ...["PROXY  TCP4 1.2.3.4 5.6.7.8 9 10\r\n", "PROXY TCP4 1.2.3.4 5.6.7.8 9\r\n"],
      ...["PROXY TCP4 1.2.3.4 5.6.7.8 9 65536\r\n", "PROXY TCP4 ::1 ::1 9 10\r\n"],
      ...["PROXY TCP4 1.2.3.4 5.6.7.8 9 10 \r\n", "PROXY TCP4 1.2.3.256 5.6.7.8 9 10\r\n"],
      ...["PROXY UDP4 1.2.3.4 5.6.7.8 9 10\r\n", `PROXY UNKNOWN${" ".repeat(120)}`],
    ]
  ) assert.throws(() => parseProxyHeader(bytes(text)), protocol, text);
  for (
    const header of [
      ...[binary(2, 0x11, []), binary(1, 0x12, Array(12).fill(0)), binary(1, 0x31, [])],
      ...[binary(1, 0x11, Array(11).fill(0)), binary(1, 0x11, [], 5000)],
      bytes("\r\n\r\n\0\r\nQUIT\n\x31\x11\0\x0c"),
    ]
  ) assert.throws(() => parseProxyHeader(header), protocol);
});

Deno.test("a public URL has a scheme, a host, an optional prefix, and no other parts", () => {
  assert.deepEqual(parsePublicUrl("https://box.example"), {
    ...{ scheme: "https", origin: "https://box.example", prefix: "" },
  });
  assert.equal(parsePublicUrl("http://box:8080/a/b.c/").prefix, "/a/b.c");
  for (
    const text of [
      ...[
        "box.example",
        "ftp://box",
        "https://",
        "https://a@box",
        "https://box/?a",
        "https://box/#",
      ],
      ...[
        "https://box/a b",
        "https://box/%2e",
        "https://box/a//b",
        "https://box/\\x",
        'https://b/"',
      ],
    ]
  ) assert.throws(() => parsePublicUrl(text), usage, text);
});
