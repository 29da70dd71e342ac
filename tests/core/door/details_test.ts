/** The rules of PROTOCOL.md on bodies, resuming, digests and texts that are not in its tables. */
import assert from "node:assert/strict";
import { encodeChunkHead, type FrameValue } from "../../../core/protocol/frame.ts";
import { nonce } from "../../../core/protocol/scram.ts";
import { verifierOf } from "../../_passwords.ts";
import { Here } from "./_here.ts";
import { type Bytes, eager, join, Peer, type Piece, sha256, text } from "./_peer.ts";

const path = "/home/f";
const bytes = text("0123456789");
const trailer = { sha256: sha256(bytes) };

function chunk(content: string): Bytes {
  return join(encodeChunkHead(content.length), text(content));
}

/** Sends the beginning of an upload, and is cut. */
async function cut(here: Here, size: number | null, content: string): Promise<void> {
  using peer = await Peer.open(here.address, here.token);
  await peer.ask({ verb: "put", path, size });
  await peer.send({ offset: 0, body: "chunked" }, chunk(content));
  await peer.stream.end();
  await peer.gone();
}

Deno.test("an upload is continued with another size, or dropped", async (t) => {
  await using here = await Here.start({});
  using peer = await Peer.open(here.address, here.token);
  const upload = async () => (await peer.ask({ verb: "stat", path })).upload;
  const given = async () => {
    assert.equal(
      await peer.fail({ offset: 0, body: "chunked" }, chunk("").subarray(0, 4), {
        sha256: null,
      }),
      "interrupted",
    );
  };
  await t.step("with one that what is here fits in", async () => {
    await cut(here, 20, "01234");
    assert.deepEqual(await upload(), { offset: 5, size: 20 });
    const go = await peer.ask({ verb: "put", path, size: 10 });
    assert.deepEqual([go.offset, go.prefix], [5, sha256(bytes.subarray(0, 5))]);
    assert.equal(
      (await peer.ask({ offset: 5, body: 5 }, bytes.subarray(5), trailer)).sha256,
      trailer.sha256,
    );
    await peer.ask({ verb: "remove", path });
  });
  await t.step("with one that is smaller than what is here", async () => {
    await cut(here, 20, "01234");
    assert.equal((await peer.ask({ verb: "put", path, size: 4 })).offset, 0);
    await given();
  });
  await t.step("from one of unknown size, whose `size` is null", async () => {
    await cut(here, null, "01234");
    assert.deepEqual(await upload(), { offset: 5, size: null });
    assert.equal((await peer.ask({ verb: "put", path, size: 10 })).offset, 5);
    await given();
  });
  await t.step("with none: from the start, and what was here is dropped", async () => {
    await cut(here, 10, "01234");
    const go = await peer.ask({ verb: "put", path, size: null });
    assert.deepEqual([go.offset, go.prefix], [0, null]);
    await given();
    assert.equal(await peer.fail({ verb: "stat", path }), "not-found");
  });
  await t.step("an eager put takes its place", async () => {
    await cut(here, 10, "01234");
    await peer.ask(eager(path, text("abc")));
    assert.equal(await upload(), null);
    await peer.ask({ verb: "remove", path });
  });
});

Deno.test("chunks of a known size add up to it; what has arrived is kept", async () => {
  await using here = await Here.start({});
  using watcher = await Peer.open(here.address, here.token);
  const ways: Record<string, [offset: number, ...pieces: Piece[]]> = {
    fewer: [5, chunk("01234"), encodeChunkHead(0), { sha256: sha256(text("01234")) }],
    more: [10, chunk("56789"), chunk("a"), encodeChunkHead(0), trailer],
  };
  for (const [name, [kept, ...pieces]] of Object.entries(ways)) {
    using peer = await Peer.open(here.address, here.token);
    const { offset } = await peer.ask({ verb: "put", path, size: 10 });
    assert.equal(await peer.fail({ offset, body: "chunked" }, ...pieces), "protocol", name);
    await peer.gone();
    const { upload } = await watcher.ask({ verb: "stat", path });
    assert.deepEqual(upload, { offset: kept, size: 10 }, name);
  }
});

Deno.test("trailers: of an eager body any, of put-many a digest that is one, and not compared", async () => {
  await using here = await Here.start({});
  using peer = await Peer.open(here.address, here.token);
  const put = (end: object) => [{ verb: "put", path, size: 10, body: 10 }, bytes, end];
  assert.equal((await peer.ask(...put({ sha256: null, whole: true }))).sha256, trailer.sha256);
  assert.equal(await peer.fail(...put({ sha256: null })), "interrupted");
  assert.equal(await peer.fail(...put({ sha256: null, whole: false })), "interrupted");
  const files = [{ path, size: 10, sha256: trailer.sha256 }];
  const many = (end: object) => [{ verb: "put-many", files, body: 10 }, bytes, end];
  assert.deepEqual((await peer.ask(...many({ sha256: "0".repeat(64) }))).failed, []);
  const { failed } = await peer.ask(...many({ sha256: null })) as {
    failed: { error: { kind: string } }[];
  };
  assert.equal(failed[0].error.kind, "interrupted");

  const { files: twice } = await peer.ask({ verb: "get-many", paths: [path, path] });
  assert.equal((twice as unknown[]).length, 2);
  assert.deepEqual(await peer.body(), join(bytes, bytes));
  assert.deepEqual(await peer.answer(), { sha256: null, whole: true });

  for (const end of [{ sha256: "zz" }, {}, { sha256: trailer.sha256.toUpperCase() }]) {
    using bad = await Peer.open(here.address, here.token);
    assert.equal(await bad.fail(...many(end)), "protocol", JSON.stringify(end));
    await bad.gone();
  }
});

Deno.test("times are kept to the millisecond, and refused where no file can have them", async () => {
  await using here = await Here.start({});
  using peer = await Peer.open(here.address, here.token);
  const put = (modified: string) => eager(path, bytes, { modified });
  const kept = async (modified: string) => (await peer.ask(put(modified))).modified;
  assert.equal(await kept("2026-03-01t12:00:00.123999999z"), "2026-03-01T12:00:00.123Z");
  assert.equal(await kept("2016-12-31T23:59:60Z"), "2017-01-01T00:00:00.000Z");
  assert.equal(await kept("1903-01-01T00:00:00Z"), "1903-01-01T00:00:00.000Z");
  for (const modified of ["9999-12-31T23:59:59Z", "2446-01-01T00:00:00Z", "1900-01-01T00:00:00Z"]) {
    assert.equal(await peer.fail(put(modified)), "usage", modified);
    assert.equal(await peer.fail({ verb: "put", path, size: 10, modified }), "usage", modified);
    assert.equal(await peer.fail({ verb: "mkdir", path: "/home/d", modified }), "usage", modified);
    const files = [{ path, size: 10, sha256: trailer.sha256, modified }];
    const { failed } = await peer.ask({ verb: "put-many", files, body: 10 }, bytes, trailer) as {
      failed: { error: { kind: string } }[];
    };
    assert.equal(failed[0].error.kind, "usage", modified);
  }
  assert.equal(await peer.fail({ verb: "stat", path: "/home/d" }), "not-found");
});

Deno.test("grow raises a limit, and never lowers one", async () => {
  await using here = await Here.start({}, { maxLimit: 5000 });
  const { accounts } = here.store;
  using peer = await Peer.open(here.address, here.token);
  assert.equal(await peer.fail({ verb: "grow", limit: 10 }), "usage", "it has no limit");
  accounts.change("anna", { limit: 1000 });
  assert.equal(await peer.fail({ verb: "grow", limit: 999 }), "usage");
  assert.equal((await peer.ask({ verb: "grow", limit: 1000 })).limit, 1000);
  assert.equal((await peer.ask({ verb: "grow", limit: 5000 })).limit, 5000);
  assert.equal(await peer.fail({ verb: "grow", limit: 5001 }), "refused");
});

Deno.test("passwd asks for the old password again, and ends all logins but the one that asked", async () => {
  await using here = await Here.start({});
  const [one, two] = ["anna-secret", "bob-secret"];
  const [first, second] = await Promise.all([one, two].map(verifierOf));
  here.store.accounts.change("anna", { verifier: first });
  using byPassword = await Peer.open(here.address);
  assert.equal((await byPassword.prove("anna", one)).ok, true);
  using other = await Peer.open(here.address);
  assert.equal((await other.prove("anna", one)).ok, true);
  const token = await byPassword.token();
  using byToken = await Peer.open(here.address, token);
  const kind = ({ error }: FrameValue) => (error as { kind: string } | undefined)?.kind;

  // Neither without a proof, nor with one of a token, another password or another account.
  assert.equal(await byPassword.fail({ verb: "passwd", verifier: second }), "denied");
  assert.equal(kind(await byToken.passwd("anna", one, second)), "denied");
  assert.equal(kind(await byPassword.passwd("anna", "other", second)), "unauthenticated");
  here.store.accounts.add({ name: "bob", role: "user", limit: null, verifier: first });
  assert.equal(kind(await byPassword.passwd("bob", one, second)), "denied");
  const [, id, secret] = /^barge_([^_]+)_(.+)$/.exec(token)!;
  const proof = await byPassword.proof(id, secret, "token");
  assert.equal(await byPassword.fail({ verb: "passwd", verifier: second, proof }), "denied");
  assert.equal((await byToken.ask({ verb: "quota" })).account, "anna");

  const oldProof = await other.proof("anna", one);
  assert.equal((await byPassword.passwd("anna", one, second)).ok, true);
  assert.equal((await byPassword.ask({ verb: "quota" })).account, "anna");
  const back = { verb: "passwd", verifier: first, proof: oldProof };
  assert.equal(await other.fail(back), "unauthenticated");
  for (const peer of [other, byToken]) {
    assert.equal(await peer.fail({ verb: "quota" }), "unauthenticated");
  }
  for (const peer of [other, byToken]) await peer.gone();
  await assert.rejects(() => Peer.open(here.address, token), /unauthenticated/);
  using again = await Peer.open(here.address);
  assert.equal((await again.prove("anna", one)).ok, false);
  assert.equal((await again.prove("anna", two)).ok, true);
  assert.equal((await byPassword.passwd("anna", two, first)).ok, true, "it goes on as any login");
});

Deno.test("one surrogate without its other is no path, and elsewhere counts as U+FFFD", async () => {
  await using here = await Here.start({});
  using peer = await Peer.open(here.address, here.token);
  const lone = "\ud83d";
  for (const verb of ["stat", "get", "list", "mkdir", "remove", "digest"]) {
    await peer.send({ verb, path: `/home/${lone}` });
    const { error } = await peer.answer() as { error: { kind: string; path: string } };
    assert.deepEqual([error.kind, error.path], ["usage", "/home/\ufffd"], verb);
  }
  assert.equal(await peer.fail({ verb: "put", path: `/home/${lone}`, size: 1 }), "usage");
  await peer.ask({ verb: "hello", version: 1, agent: lone });
  await peer.ask({ verb: "token", action: "issue", label: `a${lone}b` });
  const { id } = here.store.accounts.get("anna");
  assert.deepEqual(here.store.tokens.list(id).at(-1)!.label, "a\ufffdb");
  const auth = { verb: "auth", mechanism: "password", account: lone, nonce: nonce() };
  await peer.ask(auth);
  assert.equal(await peer.fail({ verb: "proof", proof: `${"A".repeat(43)}=` }), "unauthenticated");
});
