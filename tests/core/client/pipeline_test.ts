/**
 * Small files need no round trip each: the peer, a script, answers only after it has read 150
 * requests, and a client that waited for each answer would never finish.
 */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { connect } from "../../../core/client/connect.ts";
import { get } from "../../../core/client/get.ts";
import { put } from "../../../core/client/put.ts";
import { Window } from "../../../core/client/transfer/window.ts";
import { encodeFrame, type FrameValue } from "../../../core/protocol/frame.ts";
import { FrameReader } from "../../../core/protocol/reader.ts";
import { noise, plant } from "./_setup.ts";

const files = 150;
const modified = new Date(0).toISOString();
const body = noise(1000);
const digest = createHash("sha256").update(body).digest("hex");

/** Plays a server that answers the first requests one by one, then those of the files together. */
async function play(
  listener: Deno.TcpListener,
  verb: "put-many" | "get-many",
  answer: (value: FrameValue) => Uint8Array[],
): Promise<number> {
  using conn = await listener.accept();
  const frames = new FrameReader(conn);
  const held: Uint8Array[] = [];
  let requests = 0; // of files
  const send = async (bytes: Uint8Array) => {
    for (let done = 0; done < bytes.length;) done += await conn.write(bytes.subarray(done));
  };
  while (true) {
    const frame = await frames.frame();
    if (!frame) return requests;
    if (frame.body !== undefined) {
      await frames.skip();
      await frames.frame();
    }
    const parts = answer(frame.value);
    if (frame.value.verb !== verb) {
      for (const part of parts) await send(part);
      continue;
    }
    held.push(...parts);
    requests += ((frame.value.files ?? frame.value.paths) as unknown[]).length;
    if (requests < files) continue;
    for (const part of held.splice(0)) await send(part);
  }
}

const ok = (fields: object) => encodeFrame({ ok: true, ...fields });

/** Returns the parts of the answer to a `get-many`. */
function filesAnswer(paths: readonly string[]): Uint8Array[] {
  const facts = paths.map(() => ({ size: body.length, modified, sha256: digest }));
  return [
    ok({ files: facts, body: body.length * paths.length }),
    ...paths.map(() => body),
    encodeFrame({ sha256: null, whole: true }),
  ];
}

const hello = ok({
  version: 1,
  agent: "test",
  register: false,
  eager: 65536,
  many: { files: 64, bytes: 65536 },
});
const entry = { type: "file", size: body.length, modified, owner: null, sha256: null };

Deno.test("puts of small files do not wait for each other", async () => {
  const dir = await Deno.makeTempDir();
  plant(dir, Object.fromEntries(Array.from({ length: files }, (_, i) => [`${i}`, body])));
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const server = play(listener, "put-many", ({ verb }) => {
    if (verb === "hello") return [hello];
    if (verb === "mkdir") return [ok({ created: true })];
    return [ok({ failed: [] })];
  });
  {
    const signal = AbortSignal.timeout(30_000);
    await using client = await connect({ host: "127.0.0.1", port: listener.addr.port }, { signal });
    const totals = await put(client, [dir], "/home", { recursive: true });
    assert.equal(totals.sent, files, String(totals.error));
    client.close();
  }
  assert.equal(await server, files);
  await Deno.remove(dir, { recursive: true });
});

Deno.test("gets of small files do not wait for each other", async () => {
  const dir = await Deno.makeTempDir();
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const entries = Array.from({ length: files }, (_, i) => ({ ...entry, name: `${i}` }));
  const server = play(listener, "get-many", ({ verb, paths }) => {
    if (verb === "hello") return [hello];
    if (verb === "stat") return [ok({ entry: { ...entry, name: "x", type: "dir" }, upload: null })];
    if (verb === "list") return [ok({ entries, more: false })];
    return filesAnswer(paths as string[]);
  });
  {
    const signal = AbortSignal.timeout(30_000);
    await using client = await connect({ host: "127.0.0.1", port: listener.addr.port }, { signal });
    const totals = await get(client, ["/home/x/"], dir, { recursive: true });
    assert.equal(totals.sent, files, String(totals.error));
    client.close();
  }
  assert.equal(await server, files);
  assert.deepEqual(Deno.readFileSync(`${dir}/77`), body);
  await Deno.remove(dir, { recursive: true });
});

Deno.test("get -r into a new folder requests small files while the listing arrives", async () => {
  const dir = await Deno.makeTempDir();
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const entries = Array.from({ length: files }, (_, i) => ({ ...entry, name: `${i}` }));
  const asked: string[] = [];
  const play = async () => {
    using conn = await listener.accept();
    const frames = new FrameReader(conn);
    const send = async (parts: readonly Uint8Array[]) => {
      for (const part of parts) {
        for (let done = 0; done < part.length;) done += await conn.write(part.subarray(done));
      }
    };
    const next = async () => (await frames.frame())?.value;
    const sendFiles = async (value: FrameValue | undefined) => {
      assert.equal(value?.verb, "get-many");
      asked.push(...value?.paths as string[]);
      await send(filesAnswer(value?.paths as string[]));
    };
    assert.equal((await next())?.verb, "hello");
    await send([hello]);
    assert.equal((await next())?.verb, "stat");
    await send([ok({ entry: { ...entry, name: "x", type: "dir" }, upload: null })]);
    assert.equal((await next())?.verb, "list");
    await send([ok({ entries: entries.slice(0, 100), more: true })]);
    const ahead = await next();
    await send([ok({ entries: entries.slice(100), more: false })]);
    await sendFiles(ahead);
    while (asked.length < files) await sendFiles(await next());
    assert.equal(await next(), undefined);
  };
  const server = play();
  {
    const signal = AbortSignal.timeout(30_000);
    await using client = await connect({ host: "127.0.0.1", port: listener.addr.port }, { signal });
    const totals = await get(client, ["/home/x/"], `${dir}/new`, { recursive: true });
    assert.equal(totals.sent, files, String(totals.error));
  }
  await server;
  assert.deepEqual(asked, entries.map(({ name }) => `/home/x/${name}`));
  assert.deepEqual(Deno.readFileSync(`${dir}/new/149`), body);
  await Deno.remove(dir, { recursive: true });
});

Deno.test("requests of `sendWithHello` are sent before hello is answered, and no bye is sent", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const asked = (async () => {
    using conn = await listener.accept();
    const frames = new FrameReader(conn);
    const verbs = [(await frames.frame())?.value.verb, (await frames.frame())?.value.verb];
    await conn.write(hello);
    await conn.write(ok({}));
    for (let frame; (frame = await frames.frame());) verbs.push(frame.value.verb);
    return verbs;
  })();
  {
    const signal = AbortSignal.timeout(30_000);
    let ping: Promise<unknown> | undefined;
    const remote = { host: "127.0.0.1", port: listener.addr.port };
    await using client = await connect(remote, {
      signal,
      sendWithHello: (client) => ping = client.ask("ping", {}),
    });
    assert.equal(client.hello.agent, "test");
    await ping;
  }
  assert.deepEqual(await asked, ["hello", "ping"]);
});

Deno.test("a window admits requests that fit, a too large one alone, and the others in batches", async () => {
  const window = new Window(4, 100);
  await window.enter(1000);
  assert.ok(!window.fits(0));
  const entered = window.enter(60).then(() => "in");
  assert.equal(await Promise.race([entered, Promise.resolve("waiting")]), "waiting");
  window.leave(1000);
  assert.equal(await entered, "in");
  assert.ok(window.fits(40));
  assert.ok(!window.fits(41));
  window.leave(60);
  await window.drained();
});
