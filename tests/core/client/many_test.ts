/** Small files in shared requests: cases in which the answer differs from the listing. */
import assert from "node:assert/strict";
import { connect } from "../../../core/client/connect.ts";
import { Downloader } from "../../../core/client/download/downloader.ts";
import { put } from "../../../core/client/put.ts";
import { Report } from "../../../core/client/transfer/events.ts";
import { Uploader } from "../../../core/client/upload/uploader.ts";
import { encodeFrame } from "../../../core/protocol/frame.ts";
import { FrameReader } from "../../../core/protocol/reader.ts";
import { noise, plant, recorder, Setup } from "./_setup.ts";

Deno.test("two sources of one name are sent in order, and the last one stays", async () => {
  await using setup = await Setup.start(["--workers", "1"]);
  plant(setup.dir, { "a/x": "first", "b/x": "second" });
  const record = recorder();
  using uploader = new Uploader(setup.client, new Report(record.onEvent));
  for (const folder of ["a", "b"]) await uploader.file(`${setup.dir}/${folder}/x`, "/home/x");
  await uploader.drained();
  assert.deepEqual(record.outcome(), ["sent /home/x", "sent /home/x"]);
  assert.equal(new TextDecoder().decode(await setup.server.readFile("/home/x")), "second");
});

Deno.test("a file that has grown since it was listed is fetched alone, after the others", async () => {
  await using setup = await Setup.start(["--workers", "1"]);
  const grown = noise(2 * 1024 * 1024);
  plant(`${setup.dir}/from`, { "small": "small", "grown": grown });
  await put(setup.client, [`${setup.dir}/from/`], "/home", { recursive: true });
  Deno.removeSync(`${setup.dir}/from`, { recursive: true });
  const record = recorder();
  const downloader = new Downloader(setup.client, new Report(record.onEvent));
  const facts = { type: "file", size: 5, modified: 0 } as const;
  for (const name of ["grown", "small", "none"]) {
    await downloader.file(`/home/${name}`, `${setup.dir}/${name}`, { name, ...facts });
  }
  await downloader.drained();
  assert.deepEqual(record.outcome(), ["failed /home/none", "sent /home/grown", "sent /home/small"]);
  assert.deepEqual(Deno.readFileSync(`${setup.dir}/grown`), grown);
  assert.deepEqual(Array.from(Deno.readDirSync(setup.dir), ({ name }) => name).sort(), [
    "grown",
    "small",
  ]);
});

Deno.test("a file whose digest differs is dropped, and the others are kept", async () => {
  const dir = await Deno.makeTempDir();
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const [hello, many] = [{ version: 1, agent: "", register: false, eager: 0 }, {
    files: 2,
    bytes: 9,
  }];
  const digest = "2689367b205c16ce32ed4200942b8b8b1e262dfc70d9bc9fbc77c49699a4f1df"; // of "ok"
  const modified = new Date(0).toISOString();
  const lying = async () => {
    using conn = await listener.accept();
    const frames = new FrameReader(conn);
    for (let frame = await frames.frame(); frame; frame = await frames.frame()) {
      const file = { size: 2, modified, sha256: digest };
      const parts = frame.value.verb === "hello" ? [encodeFrame({ ok: true, ...hello, many })] : [
        encodeFrame({ ok: true, files: [file, file], body: 4 }),
        new TextEncoder().encode("kook"),
        encodeFrame({ sha256: null, whole: true }),
      ];
      for (const part of parts) await conn.write(part);
    }
  };
  const server = lying();
  {
    const port = listener.addr.port;
    using client = await connect({ host: "127.0.0.1", port }, {
      signal: AbortSignal.timeout(30_000),
    });
    const record = recorder();
    const downloader = new Downloader(client, new Report(record.onEvent));
    const facts = { type: "file", size: 2, modified: 0 } as const;
    for (const name of ["bad", "good"]) {
      await downloader.file(`/home/${name}`, `${dir}/${name}`, { name, ...facts });
    }
    await downloader.drained();
    assert.deepEqual(record.outcome(), ["failed /home/bad", "sent /home/good"]);
    assert.equal(record.results().find(({ error }) => error)?.error?.kind, "digest");
  }
  await server;
  assert.deepEqual(Array.from(Deno.readDirSync(dir), ({ name }) => name), ["good"]);
  await Deno.remove(dir, { recursive: true });
});
