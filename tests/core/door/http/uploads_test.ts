/** Tests resumable uploads: tus 1.0.0. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { BargeError } from "../../../../core/error.ts";
import { Store } from "../../../../core/local/store.ts";
import { finishedUpload } from "../../../../core/upload/partial_upload.ts";
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

Deno.test("an upload is begun, resumed, and becomes a file", async () => {
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
  assert.equal((await tus(anna, "HEAD", url, {})).status, 200);
});

Deno.test("an upload of a slow or cut connection can be resumed at once", async () => {
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
    // No other upload to the path can be begun meanwhile.
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

Deno.test("uploads without a byte count as entries, up to the entry limit", async () => {
  await using web = await Web.start();
  const anna = await web.user("anna");
  web.store.accounts.change("anna", { entryLimit: 3 });
  const empty = (name: string) =>
    tus(anna, "POST", `${api}/uploads/home/${name}`, { "upload-length": "10" });
  for (const name of ["f", "g", "h"]) assert.equal((await empty(name)).status, 201);
  const refused = await empty("i");
  assert.deepEqual([refused.status, refused.json.kind], [507, "over-quota"]);
  assert.match(refused.json.detail, /1 more entry, 3 of 3 are taken/);
  const { json: { entries, entryLimit } } = await anna.ask("GET", `${api}/quota`);
  assert.deepEqual([entries, entryLimit], [3, 3]);
  assert.equal((await append(anna, 0, pattern(10))).status, 204);
  assert.equal((await empty("i")).status, 507);
  assert.equal((await tus(anna, "DELETE", `${api}/uploads/home/g`, {})).status, 204);
  assert.equal((await empty("i")).status, 201);
});

Deno.test("a body with a wrong checksum is discarded", async () => {
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

Deno.test("abilities, versions, lengths and ends are as in tus 1.0.0", async () => {
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

Deno.test("the length may be sent later, and bytes with the creation", async () => {
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

Deno.test("a client that lost the last response can see that its upload is a file", async () => {
  await using web = await Web.start();
  const anna = await web.user("anna");
  const bytes = pattern(1000);
  const head = async (client = anna, target = url) => {
    const { status, headers } = await tus(client, "HEAD", target, {});
    return [status, headers.get("upload-offset"), headers.get("upload-length")].join(" ");
  };
  await begin(anna, bytes.length);
  await append(anna, 0, bytes);
  assert.equal(await head(), "200 1000 1000");
  const [again, late, more] = [
    await append(anna, 1000, bytes.subarray(0, 0)),
    await append(anna, 0, bytes),
    await append(anna, 1000, bytes),
  ];
  assert.deepEqual([again.status, again.headers.get("upload-offset")], [204, "1000"]);
  assert.deepEqual([late.status, late.headers.get("upload-offset")], [409, "1000"]);
  assert.equal(more.status, 400);
  assert.equal((await tus(anna, "DELETE", url, {})).status, 404);
  assert.equal(await head(), "200 1000 1000");
  { // also for other workers, and after a restart
    using other = new Store(web.store.settings);
    const session = web.session("anna", other);
    assert.equal((await finishedUpload(session, "/home/f"))?.size, 1000);
  }
  const file = `${api}/files/home/f`;
  const put = async (bytes: Uint8Array) => assert.ok((await anna.ask("PUT", file, {}, bytes)).text);
  await put(pattern(1000, 7));
  assert.match(await head(), /^404/);
  await put(bytes);
  assert.equal(await head(), "200 1000 1000");
  // A later upload to the path is independent, also when it is deleted.
  await begin(anna, bytes.length);
  assert.equal(await head(), "200 0 1000");
  assert.equal((await tus(anna, "DELETE", url, {})).status, 204);
  assert.match(await head(), /^404/);
  await begin(anna, 0);
  assert.equal(await head(), "200 0 0");
  await anna.ask("DELETE", file);
  assert.match(await head(), /^404/);
  // A file of another account, or one that replaced it, is not this account's upload.
  const [bert, root] = [await web.user("bert"), await web.user("root", null, "admin")];
  const shared = `${api}/uploads/public/f`;
  const begins = { "upload-length": "3", "content-type": "application/offset+octet-stream" };
  await tus(anna, "POST", shared, begins, pattern(3));
  assert.equal(await head(anna, shared), "200 3 3");
  assert.match(await head(bert, shared), /^404/);
  await root.ask("PUT", `${api}/files/public/f`, {}, pattern(3));
  assert.match(await head(anna, shared), /^404/);
});

Deno.test("an upload is not reported with all of its bytes before it is a file", async () => {
  let check = () => Promise.resolve();
  await using web = await Web.start({}, {}, { check: () => check() });
  const anna = await web.user("anna");
  const token = (await web.store.tokens.issue(web.store.accounts.get("anna").id, "2")).token;
  const bytes = pattern(1000);
  const head = async () => await tus(anna, "HEAD", url, {});
  await begin(anna, bytes.length);
  check = () => Promise.reject(new BargeError("unavailable", "the scanner does not answer"));
  assert.equal((await append(anna, 0, bytes)).status, 503);
  // A client takes 1000 of 1000 for success.
  assert.equal((await head()).headers.get("upload-offset"), "999");
  assert.equal((await append(anna, 999, bytes.subarray(999))).status, 503);
  const [asked, answer] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  check = () => {
    asked.resolve();
    return answer.promise;
  };
  const other = await web.client({ authorization: `Bearer ${token}` });
  const type = "application/offset+octet-stream";
  const headers = { "upload-offset": "999", "content-type": type, "content-length": "1" };
  await other.begin("PATCH", url, headers);
  await other.send(bytes.subarray(999));
  await asked.promise;
  other[Symbol.dispose](); // the check continues, and its result counts
  const busy = await head();
  assert.deepEqual([busy.status, busy.headers.get("retry-after")], [423, "5"]);
  answer.resolve();
  let done = await head();
  while (done.status === 423) done = await head();
  assert.deepEqual([done.status, done.headers.get("upload-offset")], [200, "1000"]);
  assert.equal(sha256((await anna.ask("GET", `${api}/files/home/f`)).bytes), sha256(bytes));
});
