/** Compressed responses: zstd and gzip, by the field Accept-Encoding. */
import assert from "node:assert/strict";
import { gunzipSync, zstdDecompressSync } from "node:zlib";
import { api, Web } from "./_web.ts";

const files = `${api}/files`;
const decoders = { zstd: zstdDecompressSync, gzip: gunzipSync };

Deno.test("text is compressed as the client accepts it, files are not", async () => {
  await using web = await Web.start();
  const anna = await web.user("anna");
  const text = "the same again and again\n".repeat(1000);
  await anna.ask("PUT", `${files}/home/f.txt`, {}, text);
  const file = await anna.ask("GET", `${files}/home/f.txt`, { "accept-encoding": "zstd, gzip" });
  assert.deepEqual([file.headers.get("content-encoding"), file.text], [undefined, text]);
  assert.equal(file.headers.get("vary"), undefined);
  const plain = await anna.ask("GET", `${api}/openapi.json`);
  assert.equal(plain.headers.get("content-encoding"), undefined);
  assert.match(plain.headers.get("vary") ?? "", /Accept-Encoding/i);
  for (const coding of ["zstd", "gzip"] as const) {
    const accepted = { "accept-encoding": `br, ${coding}` };
    const { headers, bytes } = await anna.ask("GET", `${api}/openapi.json`, accepted);
    assert.equal(headers.get("content-encoding"), coding);
    assert.match(headers.get("vary") ?? "", /Accept-Encoding/i);
    assert.ok(bytes.length < plain.bytes.length / 2);
    assert.equal(new TextDecoder().decode(decoders[coding](bytes)), plain.text);
  }
  const head = await anna.ask("HEAD", `${api}/openapi.json`, { "accept-encoding": "zstd" });
  assert.match(head.headers.get("vary") ?? "", /Accept-Encoding/i);
});

Deno.test("short texts and responses to POST are sent as they are", async () => {
  await using web = await Web.start();
  const anna = await web.user("anna");
  const accepted = { "accept-encoding": "zstd" };
  const short = await anna.ask("GET", `${files}/home`, accepted);
  assert.equal(short.headers.get("content-encoding"), undefined);
  assert.equal(short.headers.get("content-length"), String(short.bytes.length));
  const label = "x".repeat(60);
  const made = await anna.ask("POST", `${api}/tokens`, {
    ...accepted,
    "content-type": "application/json",
  }, JSON.stringify({ label }));
  assert.equal(made.headers.get("content-encoding"), undefined);
});

Deno.test("a long listing is compressed while it is made, and an asset keeps its entity tag", async () => {
  await using web = await Web.start();
  const anna = await web.user("anna");
  for (let i = 0; i < 60; i++) {
    await anna.ask("PUT", `${files}/home/${"a-long-name-".repeat(10)}${i}.txt`, {}, "x");
  }
  for (const coding of ["zstd", "gzip"] as const) {
    const { bytes, headers } = await anna.ask("GET", `${files}/home`, {
      "accept-encoding": coding,
    });
    assert.equal(headers.get("content-encoding"), coding);
    const { entries } = JSON.parse(new TextDecoder().decode(decoders[coding](bytes)));
    assert.equal(entries.length, 60);
  }
  const page = await anna.ask("GET", "/login");
  const [script] = /\/assets\/[^"]+\.js/.exec(page.text)!;
  const plain = await anna.ask("GET", script);
  for (let i = 0; i < 2; i++) { // made, then taken from memory
    const { bytes, headers } = await anna.ask("GET", script, { "accept-encoding": "zstd" });
    assert.equal(headers.get("etag"), `W/${plain.headers.get("etag")}`);
    assert.equal(headers.get("content-length"), String(bytes.length));
    assert.equal(new TextDecoder().decode(zstdDecompressSync(bytes)), plain.text);
  }
  const condition = {
    "accept-encoding": "zstd",
    "if-none-match": `W/${plain.headers.get("etag")}`,
  };
  assert.equal((await anna.ask("GET", script, condition)).status, 304);
});
