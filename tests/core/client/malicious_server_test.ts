/** A server that lists malicious names can't cause a write outside the target folder. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { connect } from "../../../core/client/connect.ts";
import { get } from "../../../core/client/get.ts";
import { localFault } from "../../../core/client/local_name.ts";
import { encodeFrame } from "../../../core/protocol/frame.ts";
import { FrameReader } from "../../../core/protocol/reader.ts";
import { plant, recorder, snapshot } from "./_setup.ts";

const modified = "2001-01-01T00:00:00.000Z";
const body = new TextEncoder().encode("theirs");
const sha256 = createHash("sha256").update(body).digest("hex");
const ok = (fields: object) => encodeFrame({ ok: true, ...fields });
const entryOf = (name: string, type: "file" | "dir") => ({
  name,
  type,
  size: type === "file" ? body.length : 0,
  modified,
  owner: null,
  sha256: type === "file" ? sha256 : null,
});

/** Plays a server with a folder of these entries, until the client closes. */
async function play(listener: Deno.TcpListener, entries: readonly object[]): Promise<void> {
  using conn = await listener.accept();
  const frames = new FrameReader(conn);
  for (let frame = await frames.frame(); frame; frame = await frames.frame()) {
    const { verb, paths } = frame.value;
    const answers = {
      hello: () => [ok({
        version: 1,
        agent: "test",
        register: false,
        eager: 65536,
        many: { files: 64, bytes: 65536 },
      })],
      stat: () => [ok({ entry: entryOf("x", "dir"), upload: null })],
      list: () => [ok({ entries, more: false })],
      "get-many": () => {
        const asked = paths as string[];
        const files = asked.map(() => ({ size: body.length, modified, sha256 }));
        return [
          ok({ files, body: body.length * asked.length }),
          ...asked.map(() => body),
          encodeFrame({ sha256: null, whole: true }),
        ];
      },
      bye: () => [ok({})],
    };
    for (const part of answers[verb as keyof typeof answers]()) await conn.write(part);
  }
}

type Named = readonly [name: string, type: "file" | "dir"];

Deno.test("get -r writes only below its target, whatever the server lists", async (t) => {
  const root = await Deno.makeTempDir({ prefix: "barge-malicious-" });
  const attacks: Record<string, Named[]> = {
    "the folder above": [["../out/f", "file"]],
    "the folder above, as a folder": [["..", "dir"], ["../out/f", "file"]],
    "the folder above, in the midst": [["a", "dir"], ["a/../../out/f", "file"]],
    "an absolute path": [[`${root}/out/f`, "file"]],
    "this folder": [[".", "dir"], ["./f", "file"]],
    "an empty part": [["a", "dir"], ["a//f", "file"]],
    "a NUL": [["f\0", "file"]],
    "below a local link that is not listed": [["link/f", "file"]],
    "below a local link that is listed as a folder": [["link", "dir"], ["link/f", "file"]],
    "below a local link that is listed as a file": [["link", "file"], ["link/f", "file"]],
    "a local link in the place of a file": [["filelink", "file"]],
    "deep below a local link": [["link", "dir"], ["link/a", "dir"], ["link/a/f", "file"]],
  };
  try {
    for (const [name, listed] of Object.entries(attacks)) {
      await t.step(name, async () => {
        plant(root, { "out/kept": "mine", "t/": "" });
        Deno.symlinkSync(`${root}/out`, `${root}/t/link`);
        Deno.symlinkSync(`${root}/out/kept`, `${root}/t/filelink`);
        const time = new Date("2020-02-02T02:02:02Z");
        Deno.utimeSync(`${root}/out`, time, time);
        const before = snapshot(`${root}/out`);
        const links = Array.from(Deno.readDirSync(`${root}/t`), ({ name }) => name).sort();
        using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
        const served = play(listener, listed.map(([name, type]) => entryOf(name, type)));
        {
          const signal = AbortSignal.timeout(30_000);
          const at = { host: "127.0.0.1", port: listener.addr.port };
          await using client = await connect(at, { signal });
          const record = recorder();
          const totals = await get(client, ["/home/x/"], `${root}/t`, {
            recursive: true,
            onEvent: record.onEvent,
          });
          assert.ok(totals.failed > 0, JSON.stringify(totals));
        }
        await served;
        assert.deepEqual(snapshot(`${root}/out`), before);
        const after = Array.from(Deno.readDirSync(`${root}/t`), ({ name }) => name);
        assert.deepEqual(after.filter((name) => name.includes("link")).sort(), links);
        assert.deepEqual(Array.from(Deno.readDirSync(root), ({ name }) => name).sort(), [
          "out",
          "t",
        ]);
        await Deno.remove(`${root}/t`, { recursive: true });
      });
    }
  } finally {
    await Deno.remove(root, { recursive: true });
  }
});

Deno.test("names that are special on Windows are refused on Windows only", () => {
  const bad = [
    "..\\x",
    "a\\b",
    "C:",
    "C:x",
    "a/C:\\x",
    "f:stream",
    "nul",
    "COM1.txt",
    "a.",
    "a ",
    "?",
  ];
  for (const name of bad) {
    assert.notEqual(localFault(name, true), undefined, name);
    assert.equal(localFault(name, false), undefined, name);
  }
  for (const name of ["a", "a/b.txt", ".hidden", "Größe", "com10", "nullify"]) {
    assert.equal(localFault(name, true), undefined, name);
  }
});
