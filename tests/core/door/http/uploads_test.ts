/** Uploads that resume: tus 1.0.0. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { pattern, sha256 } from "../_peer.ts";
import type { Answer, Client, Headers } from "./_client.ts";
import { api, Web } from "./_web.ts";

const url = `${api}/uploads/home/f`;

function tus(
  client: Client,
  method: string,
  target: string,
  headers: Headers,
  body = new Uint8Array(),
) {
  return client.ask(method, target, { "tus-resumable": "1.0.0", ...headers }, body);
}

function append(client: Client, offset: number, body: Uint8Array<ArrayBuffer>, more: Headers = {}) {
  const type = "application/offset+octet-stream";
  const headers = { "upload-offset": String(offset), "content-type": type, ...more };
  return tus(client, "PATCH", url, headers, body);
}

function begin(client: Client, size: number): Promise<Answer> {
  const filename = Buffer.from("f").toString("base64");
  return tus(client, "POST", `${api}/uploads/home/`, {
    "upload-length": String(size),
    "upload-metadata": `filename ${filename}`,
  });
}

Deno.test("an upload is begun, goes on, and becomes a file", async () => {
  await using web = await Web.start();
  const anna = await web.user("anna");
  const bytes = pattern(500_000);
  const made = await begin(anna, bytes.length);
  assert.deepEqual([made.status, made.headers.get("location")], [201, url]);
  assert.ok(Date.parse(made.headers.get("upload-expires")!) > Date.now());
  const first = await append(anna, 0, bytes.subarray(0, 200_000));
  assert.deepEqual([first.status, first.headers.get("upload-offset")], [204, "200000"]);
  assert.equal((await append(anna, 0, bytes)).status, 409);
  const head = await tus(anna, "HEAD", url, {});
  assert.equal(head.status, 200);
  assert.equal(head.headers.get("upload-offset"), "200000");
  assert.equal(head.headers.get("upload-length"), "500000");
  assert.equal(head.headers.get("cache-control"), "no-store");
  assert.equal((await anna.ask("GET", `${api}/files/home/f`)).status, 404);
  const last = await append(anna, 200_000, bytes.subarray(200_000));
  assert.deepEqual([last.status, last.headers.get("etag")], [204, `"${sha256(bytes)}"`]);
  assert.equal(sha256((await anna.ask("GET", `${api}/files/home/f`)).bytes), sha256(bytes));
  assert.equal((await tus(anna, "HEAD", url, {})).status, 404);
});

Deno.test("a connection that is slow or cut keeps nobody from going on with what has arrived", async () => {
  await using web = await Web.start();
  const anna = await web.user("anna");
  const token = (await web.store.tokens.issue(web.store.accounts.get("anna").id, "2")).token;
  const bytes = pattern(900_000);
  for (const cut of [false, true]) {
    const other = await web.client({ authorization: `Bearer ${token}` });
    await begin(anna, bytes.length);
    await other.begin("PATCH", url, {
      "upload-offset": "0",
      "content-type": "application/offset+octet-stream",
      "content-length": "900000",
      "expect": "100-continue",
    });
    assert.equal((await other.answer()).status, 100);
    // Another one is not begun beside it, nor is one that is elsewhere taken over.
    assert.equal((await begin(anna, bytes.length)).status, 423);
    assert.equal((await append(anna, 5, bytes)).status, 409);
    await other.send(bytes.subarray(0, 300_000));
    let offset = 0;
    while (offset < 300_000) offset = (await anna.ask("GET", url)).json.offset;
    if (cut) other[Symbol.dispose]();
    assert.equal((await append(anna, offset, bytes.subarray(offset))).status, 204);
    assert.equal(sha256((await anna.ask("GET", `${api}/files/home/f`)).bytes), sha256(bytes));
    if (cut) continue;
    await other.send(bytes.subarray(300_000)).catch(() => {/* the answer says why */});
    const refused = await other.answer();
    assert.deepEqual([refused.status, refused.json.kind], [410, "unavailable"]);
    assert.match(refused.json.detail, /taken over by a newer connection/);
    other[Symbol.dispose]();
    assert.equal(sha256((await anna.ask("GET", `${api}/files/home/f`)).bytes), sha256(bytes));
  }
});

Deno.test("a body whose checksum is wrong is as if it had not come", async () => {
  await using web = await Web.start();
  const anna = await web.user("anna");
  const bytes = pattern(1000);
  await begin(anna, bytes.length);
  for (const algorithm of ["sha256", "sha1", "md5"]) {
    const right = createHash(algorithm).update(bytes.subarray(0, 400)).digest("base64");
    const wrong = { "upload-checksum": `${algorithm} ${right}` };
    const refused = await append(anna, 0, bytes.subarray(0, 500), wrong);
    assert.equal(refused.status, 460);
  }
  assert.equal((await append(anna, 0, bytes, { "upload-checksum": "crc32 AAAA" })).status, 400);
  assert.equal((await tus(anna, "HEAD", url, {})).headers.get("upload-offset"), "0");
  const sum = createHash("sha1").update(bytes).digest("base64");
  const taken = await append(anna, 0, bytes, { "upload-checksum": `sha1 ${sum}` });
  assert.equal(taken.status, 204);
});

Deno.test("the rest of the protocol: abilities, versions, lengths, ends", async () => {
  await using web = await Web.start();
  const anna = await web.user("anna", 10_000);
  const options = await anna.ask("OPTIONS", `${api}/uploads/`, { authorization: "" });
  assert.equal(options.headers.get("tus-version"), "1.0.0");
  assert.match(
    options.headers.get("tus-extension")!,
    /creation.*termination.*checksum.*expiration/,
  );
  const old = await tus(anna, "POST", url, { "tus-resumable": "0.2.2", "upload-length": "1" });
  assert.deepEqual([old.status, old.headers.get("tus-version")], [412, "1.0.0"]);
  assert.equal((await begin(anna, 10_001)).status, 507);
  assert.equal((await tus(anna, "POST", url, {})).status, 400);
  assert.equal((await append(anna, 0, pattern(1))).status, 404);
  await begin(anna, 100);
  const typed = await append(anna, 0, pattern(1), { "content-type": "text/plain" });
  assert.equal(typed.status, 415);
  assert.equal((await tus(anna, "DELETE", url, {})).status, 204);
  assert.equal((await tus(anna, "HEAD", url, {})).status, 404);
  assert.equal((await begin(anna, 0)).status, 201);
  assert.equal((await anna.ask("GET", `${api}/files/home/f`)).headers.get("content-length"), "0");
  await begin(anna, 100);
  assert.equal((await append(anna, 0, pattern(101))).status, 400);
});

Deno.test("a length may come later, and bytes with the beginning", async () => {
  await using web = await Web.start();
  const anna = await web.user("anna");
  const bytes = pattern(1000);
  const type = { "content-type": "application/offset+octet-stream" };
  const made = await tus(
    anna,
    "POST",
    url,
    { "upload-defer-length": "1", ...type },
    bytes.subarray(0, 300),
  );
  assert.deepEqual([made.status, made.headers.get("upload-offset")], [201, "300"]);
  assert.equal((await tus(anna, "HEAD", url, {})).headers.get("upload-defer-length"), "1");
  assert.equal((await append(anna, 300, bytes.subarray(300, 600))).status, 204);
  const last = await append(anna, 600, bytes.subarray(600), { "upload-length": "1000" });
  assert.equal(last.status, 204);
  assert.equal(sha256((await anna.ask("GET", `${api}/files/home/f`)).bytes), sha256(bytes));
});
