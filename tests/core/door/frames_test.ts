/** What is no frame, no request, or not its turn: told once, and never more than that. */
import assert from "node:assert/strict";
import { encodeChunkHead } from "../../../core/protocol/frame.ts";
import { startServer } from "../../_server.ts";
import { assertUp, eager, join, Peer, type Piece, text } from "./_peer.ts";

/** A frame with any JSON, or none. */
function frame(json: string | Uint8Array, length?: number): Uint8Array {
  const bytes = typeof json === "string" ? text(json) : json;
  return join(encodeChunkHead(length ?? bytes.length), bytes);
}

const deep = "[".repeat(30_000) + "]".repeat(30_000);

/** Refused with `protocol`, before and after a login, and the connection is closed. */
const noFrames: Record<string, Piece> = {
  "length 0": encodeChunkHead(0),
  "length 65537": encodeChunkHead(65537),
  "length 2^32-1": encodeChunkHead(0xffffffff),
  "HTTP": text("GET / HTTP/1.1\r\nHost: x\r\n\r\n"),
  "a length that cuts the JSON": frame('{"verb":"ping"}', 14),
  "no JSON": frame("{verb:ping}"),
  "an array": frame('["ping"]'),
  "null": frame("null"),
  "a number": frame("7"),
  "a text": frame('"ping"'),
  "bad UTF-8": frame(new Uint8Array([0x7b, 0xff, 0x7d])),
  "a byte order mark": frame('\ufeff{"verb":"ping"}'),
  "a deep array": frame(deep),
  "a deep field": frame(`{"x":${deep}}`),
  "body -1": { verb: "ping", body: -1 },
  "body 1.5": { verb: "ping", body: 1.5 },
  "body null": { verb: "ping", body: null },
  "body true": { verb: "ping", body: true },
  "body 2^53": frame('{"verb":"ping","body":9007199254740992}'),
  "no verb": {},
  "a verb that is no text": { verb: 5 },
};

/** Refused with `protocol` after hello. */
const noRequests: Record<string, Piece> = {
  "a body where none belongs": join({ verb: "ping", body: 4 }, text("pong")),
  "hello without version": { verb: "hello" },
  "hello with a text as version": { verb: "hello", version: "1" },
  "auth without a name": { verb: "auth", mechanism: "password", nonce: "A".repeat(32) },
  "auth with a short nonce": { verb: "auth", mechanism: "password", account: "a", nonce: "AAAA" },
  "auth with no base64": {
    verb: "auth",
    mechanism: "password",
    account: "a",
    nonce: "é".repeat(32),
  },
  "proof that is short": { verb: "proof", proof: "AAAA" },
  "proof without auth": { verb: "proof", proof: "A".repeat(43) + "=" },
};

/** Refused with `protocol` after a login. */
const noFields: Record<string, Piece> = {
  "a path that is no text": { verb: "stat", path: 5 },
  "a deep path": frame(`{"verb":"stat","path":${deep}}`),
  "no path": { verb: "list" },
  "recursive as text": { verb: "list", path: "/home", recursive: "yes" },
  "offset -1": { verb: "get", path: "/home/a", offset: -1 },
  "offset 0.5": { verb: "get", path: "/home/a", offset: 0.5 },
  "offset as text": { verb: "get", path: "/home/a", offset: "0" },
  "size as text": { verb: "put", path: "/home/a", size: "5" },
  "size missing": { verb: "put", path: "/home/a" },
  "a body that is not the size": join(
    { verb: "put", path: "/home/a", size: 5, body: 4 },
    text("abcd"),
  ),
  "an eager body over the limit": { verb: "put", path: "/home/a", size: 262145, body: 262145 },
  "an eager body in chunks": { verb: "put", path: "/home/a", size: null, body: "chunked" },
  "a time that is none": { verb: "mkdir", path: "/home/d", modified: "2026-02-31T99:00:00Z" },
  "overwrite that is none": { verb: "put", path: "/home/a", size: 1, overwrite: "maybe" },
  "a trailer alone": { sha256: null },
  "a limit below zero": { verb: "grow", limit: -1 },
  "a verifier that is none": { verb: "passwd", verifier: { salt: "x" } },
};

/** Refused with `usage`; the connection lives. */
const badPaths: Record<string, string> = {
  "relative": "home/a",
  "empty": "",
  "dots": "/home/../../etc/passwd",
  "a dot": "/home/./a",
  "an empty part": "/home//a",
  "a slash at the end": "/home/a/",
  "NUL": "/home/a\0b",
  "half a surrogate pair": "/home/\ud83d",
  "a long name": `/home/${"n".repeat(256)}`,
  "a long path": "/home" + "/nnnnnnnnn".repeat(300),
};

Deno.test("what is no frame or request is answered `protocol` once, and closes", async (t) => {
  await using server = await startServer();
  await server.addUser("anna");
  const { address } = server;

  async function refused(peer: Peer, piece: Piece): Promise<void> {
    // What is pipelined behind it is never read as a request.
    await peer.send(piece, { verb: "ping" });
    assert.equal(await peer.failure(), "protocol");
    await peer.gone();
  }

  await t.step("before hello", async () => {
    for (const piece of Object.values(noFrames)) {
      using peer = await Peer.connect(address);
      await refused(peer, piece);
    }
    for (const verb of ["ping", "list", "auth", "quota", "nonsense", "bye"]) {
      using peer = await Peer.connect(address);
      await refused(peer, { verb, path: "/home" });
    }
  });
  await t.step("after hello", async () => {
    for (const piece of Object.values({ ...noFrames, ...noRequests })) {
      using peer = await Peer.open(address);
      await refused(peer, piece);
    }
  });
  await t.step("after a login", async () => {
    const token = await server.issueToken("anna");
    for (const piece of Object.values({ ...noFrames, ...noFields })) {
      using peer = await Peer.open(address, token);
      await refused(peer, piece);
    }
  });
  await t.step("a frame that is announced longer than what comes", async () => {
    using peer = await Peer.open(address, "anna");
    await peer.send(frame('{"verb":"ping"}', 1000));
    await peer.stream.end();
    await peer.gone();
  });
  await t.step("a stream that ends inside a length", async () => {
    using peer = await Peer.open(address);
    await peer.send(new Uint8Array([0, 0]));
    await peer.stream.end();
    await peer.gone();
  });
  await assertUp(address);
  assert.equal(server.stderr().includes("a bug"), false, server.stderr());
});

Deno.test("what is well-formed and refused leaves the connection as it is", async (t) => {
  await using server = await startServer();
  await server.addUser("anna");
  const { address } = server;
  const lives = async (peer: Peer) => {
    await peer.ask({ verb: "ping" });
  };

  await t.step("a version that is newer, and one that is none", async () => {
    using peer = await Peer.connect(address);
    assert.equal(await peer.fail({ verb: "hello", version: 0 }), "unsupported");
    assert.equal((await peer.ask({ verb: "hello", version: 7 })).version, 1);
    assert.equal((await peer.ask({ verb: "hello", version: 1 })).version, 1);
    await lives(peer);
  });
  await t.step("requests before a login, with and without a body", async () => {
    using peer = await Peer.open(address);
    for (const verb of ["list", "stat", "get", "mkdir", "remove", "digest"]) {
      assert.equal(await peer.fail({ verb, path: "/home/a" }), "unauthenticated");
    }
    assert.equal(await peer.fail({ verb: "quota" }), "unauthenticated");
    assert.equal(await peer.fail({ verb: "grow", limit: 5 }), "unauthenticated");
    assert.equal(await peer.fail({ verb: "put", path: "/home/a", size: 3 }), "unauthenticated");
    assert.equal(await peer.fail(eager("/home/a", text("abc"))), "unauthenticated");
    await lives(peer);
  });
  await t.step("unknown verbs, mechanisms and algorithms", async () => {
    using peer = await Peer.open(address, "anna");
    assert.equal(await peer.fail({ verb: "levitate" }), "unsupported");
    assert.equal(await peer.fail({ verb: "__proto__" }), "unsupported");
    assert.equal(await peer.fail({ verb: "constructor" }), "unsupported");
    const sized = join({ verb: "levitate", body: 5 }, text("abcde"), { sha256: null });
    assert.equal(await peer.fail(sized), "unsupported");
    assert.equal(
      await peer.fail({ verb: "levitate", body: 0 }, { sha256: null }, eager("/home/x", text("x"))),
      "unsupported",
    );
    assert.equal((await peer.answer()).ok, true);
    const chunked = [
      encodeChunkHead(3),
      text("abc"),
      encodeChunkHead(70000),
      new Uint8Array(70000),
    ];
    assert.equal(
      await peer.fail({ verb: "y", body: "chunked" }, ...chunked, encodeChunkHead(0), {
        sha256: null,
      }),
      "unsupported",
    );
    const auth = { verb: "auth", mechanism: "telepathy", account: "anna", nonce: "A".repeat(32) };
    assert.equal(await peer.fail(auth), "unsupported");
    const digest = { verb: "digest", path: "/home/x", algorithm: "crc" };
    assert.equal(await peer.fail(digest), "unsupported");
    await lives(peer);
  });
  await t.step("an unknown verb's body with no trailer behind it", async () => {
    using peer = await Peer.open(address, "anna");
    assert.equal(
      await peer.fail({ verb: "y", body: 1 }, text("a"), { verb: "ping" }),
      "unsupported",
    );
    assert.equal(await peer.failure(), "protocol");
    await peer.gone();
  });
  await t.step("paths that are none", async () => {
    using peer = await Peer.open(address, "anna");
    for (const path of Object.values(badPaths)) {
      for (const verb of ["list", "stat", "get", "mkdir", "remove", "digest"]) {
        assert.equal(await peer.fail({ verb, path }), "usage", JSON.stringify({ verb, path }));
      }
      assert.equal(await peer.fail({ verb: "put", path, size: 1 }), "usage");
      assert.equal(await peer.fail(eager(path, text("x"))), "usage");
      assert.equal(await peer.fail({ verb: "move", from: "/home/x", to: path }), "usage");
      assert.equal(await peer.fail({ verb: "copy", from: path, to: "/home/x" }), "usage");
    }
    for (const path of ["/etc/passwd", "/homes/bob/x", "/staging/1", "/accounts.db"]) {
      assert.equal(await peer.fail({ verb: "get", path }), "not-found");
    }
    await lives(peer);
  });
  await t.step("a proof is good for one challenge", async () => {
    using peer = await Peer.open(address);
    assert.equal((await peer.prove("anna", "wrong")).ok, false);
    assert.equal(await peer.fail({ verb: "proof", proof: "A".repeat(43) + "=" }), "protocol");
    await peer.gone();
  });
  await t.step(
    "another account on the same connection; a failed try leaves the first",
    async () => {
      await server.addUser("bob");
      using peer = await Peer.open(address, "anna");
      assert.equal((await peer.prove("bob", "wrong")).ok, false);
      assert.equal((await peer.ask({ verb: "quota" })).account, "anna");
      await peer.login("bob");
      assert.equal((await peer.ask({ verb: "quota" })).account, "bob");
    },
  );
  await assertUp(address);
  assert.doesNotMatch(
    server.stderr(),
    /"level":"(WARN|ERROR|FATAL)".*"logger":"barge\.(?!access)/,
    "nothing of this is the operator's business",
  );
});
