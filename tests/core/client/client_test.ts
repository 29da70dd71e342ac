import assert from "node:assert/strict";
import { BargeError } from "../../../core/error.ts";
import { connect } from "../../../core/client/connect.ts";
import { copy, mkdir, move, remove } from "../../../core/client/change.ts";
import { digest } from "../../../core/client/digest.ts";
import { list, listAll } from "../../../core/client/list.ts";
import { login } from "../../../core/client/login.ts";
import { passwd } from "../../../core/client/password.ts";
import { ping } from "../../../core/client/ping.ts";
import { put } from "../../../core/client/put.ts";
import { quota } from "../../../core/client/quota.ts";
import { parseRemote } from "../../../core/client/remote.ts";
import { entryAt, stat } from "../../../core/client/stat.ts";
import { issueToken, revokeToken } from "../../../core/client/token.ts";
import { plant, Setup } from "./_setup.ts";

const kind = (kind: string) => (error: unknown) =>
  error instanceof BargeError && error.kind === kind;

Deno.test("every verb", async (t) => {
  await using setup = await Setup.start();
  const { client, server, dir } = setup;
  const remote = parseRemote(server.address);

  await t.step("requests sent together are answered in order", async () => {
    const [a, b, c] = await Promise.all([
      quota(client),
      stat(client, "/home"),
      assert.rejects(stat(client, "/home/none"), kind("not-found")),
      ping(client),
    ]);
    assert.equal(a.account, "anna");
    assert.equal(b.entry?.type, "dir");
    assert.equal(c, undefined);
  });

  await t.step("a wrong password and an unknown name get the same answer", async () => {
    const messages = [];
    for (const account of ["anna", "nobody"]) {
      await using other = await connect(remote);
      const error = await login(other, { account, password: "wrong" }).catch((e) => e);
      assert.ok(kind("unauthenticated")(error), String(error));
      messages.push(error.message);
    }
    assert.equal(messages[0], messages[1]);
  });

  await t.step("no verb works before the login", async () => {
    await using other = await connect(remote);
    await assert.rejects(stat(other, "/home"), kind("unauthenticated"));
  });

  await t.step("a token logs in until it is revoked", async () => {
    const { id, token } = await issueToken(client, "test");
    {
      await using other = await connect(remote);
      assert.equal((await login(other, { token })).account, "anna");
      const change = { account: "anna", old: "anna-secret", password: "something new" };
      await assert.rejects(passwd(other, change), kind("denied"));
    }
    await revokeToken(client, id);
    await using other = await connect(remote);
    await assert.rejects(login(other, { token }), kind("unauthenticated"));
    await assert.rejects(login(other, { token: "barge_x" }), kind("usage"));
  });

  await t.step("folders, copies, moves, removals", async () => {
    assert.equal(await mkdir(client, "/home/a/b", { parents: true }), true);
    assert.equal(await mkdir(client, "/home/a/b", { parents: true }), false);
    await assert.rejects(mkdir(client, "/home/a/b"), kind("exists"));
    plant(dir, { "f": "content" });
    await put(client, [`${dir}/f`], "/home/a/f");
    await copy(client, "/home/a/f", "/home/a/g");
    await assert.rejects(copy(client, "/home/a/f", "/home/a/g", "never"), kind("exists"));
    await move(client, "/home/a/g", "/home/a/b/g");
    const { digest: md5 } = await digest(client, "/home/a/b/g", { algorithm: "md5" });
    assert.equal(md5, "9a0364b9e99bb480dd25e1f0284c8555");
    const names = (await listAll(client, "/home/a", { recursive: true })).map(({ name }) => name);
    assert.deepEqual(names, ["b", "b/g", "f"]);
    assert.deepEqual((await listAll(client, "/home/a/f")).map(({ name }) => name), ["f"]);
    await assert.rejects(remove(client, "/home/a"), kind("exists"));
    assert.ok(await remove(client, "/home/a", { recursive: true }) >= 1);
    assert.equal(await entryAt(client, "/home/a"), null);
  });

  await t.step("a loop can leave a long listing early", async () => {
    const files: Record<string, string> = {};
    for (let i = 0; i < 600; i++) files[`many/${"n".repeat(100)}${i}`] = "";
    plant(dir, files);
    await put(client, [`${dir}/many`], "/home/", { recursive: true });
    let first;
    for await (const entry of list(client, "/home/many")) {
      first = entry.name;
      break;
    }
    assert.match(first ?? "", /^n+0$/);
    assert.equal((await listAll(client, "/home/many")).length, 600);
  });

  await t.step("the password is changed", async () => {
    await using other = await connect(remote);
    await login(other, { account: "anna", password: "anna-secret" });
    const change = { account: "anna", old: "anna-secret", password: "another one" };
    await assert.rejects(passwd(other, { ...change, old: "wrong" }), kind("unauthenticated"));
    await assert.rejects(passwd(other, { ...change, password: "1234567" }), kind("usage"));
    await passwd(other, change);
    await using again = await connect(remote);
    await login(again, { account: "anna", password: "another one" });
  });

  await t.step("a signal fails waiting and later requests with one error", async () => {
    const stop = new AbortController();
    await using other = await setup.connect(server.address, stop.signal);
    const asked = Promise.allSettled([ping(other), ping(other)]);
    stop.abort();
    const [a, b] = (await asked).map((outcome) => (outcome as PromiseRejectedResult).reason);
    assert.equal(a.kind, "interrupted");
    assert.equal(a, b);
    await assert.rejects(ping(other), (error) => error === a);
    await assert.rejects(connect(remote, { signal: stop.signal }), kind("interrupted"));
  });

  await t.step("a server that ends is unavailable", async () => {
    await using other = await setup.connect();
    await server.kill("SIGKILL");
    await assert.rejects(ping(other), kind("unavailable"));
    await assert.rejects(connect(remote), kind("unavailable"));
  });
});

Deno.test("a server that can't sign fails with identity", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { encodeFrame } = await import("../../../core/protocol/frame.ts");
  const { FrameReader } = await import("../../../core/protocol/reader.ts");
  const impostor = (async () => {
    using conn = await listener.accept();
    const frames = new FrameReader(conn);
    const base64 = btoa("x".repeat(32));
    const costs = { n: 16384, r: 8, p: 1 };
    const answers = [
      { version: 1, agent: "evil", register: false, eager: 1000 },
      { nonce: base64, salt: base64, ...costs },
      { account: "anna", role: "user", signature: base64 },
    ];
    for (const answer of answers) {
      await frames.frame();
      await conn.write(encodeFrame({ ok: true, ...answer }));
    }
    await frames.frame();
  })();
  const client = await connect({ host: "127.0.0.1", port: listener.addr.port });
  await assert.rejects(login(client, { account: "anna", password: "pw" }), kind("identity"));
  await impostor;
});

Deno.test("a listing can't name paths outside the folder", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { encodeFrame } = await import("../../../core/protocol/frame.ts");
  const { FrameReader } = await import("../../../core/protocol/reader.ts");
  const entry = { type: "file", size: 0, modified: new Date(0), owner: null, sha256: null };
  for (const name of ["../x", "/x", "a//b", "a/../b", "", "a\0b"]) {
    const evil = (async () => {
      using conn = await listener.accept();
      const frames = new FrameReader(conn);
      await frames.frame();
      const hello = { ok: true, version: 1, agent: "evil", register: false, eager: 1000 };
      await conn.write(encodeFrame(hello));
      await frames.frame();
      await conn.write(encodeFrame({ ok: true, entries: [{ ...entry, name }], more: false }));
      await frames.frame();
    })();
    const client = await connect({ host: "127.0.0.1", port: listener.addr.port });
    await assert.rejects(listAll(client, "/home"), kind("protocol"));
    await evil;
  }
});
