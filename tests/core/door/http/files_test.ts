/** Tests the API for files: ranges, conditions, digests, changes. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { pattern, sha256 } from "../_peer.ts";
import type { Headers } from "./_client.ts";
import { api, Web } from "./_web.ts";

const files = `${api}/files`;

/** Formats a digest as in RFC 9530. */
function field(hex: string): string {
  return `sha-256=:${Buffer.from(hex, "hex").toString("base64")}:`;
}

Deno.test("a file is written and read, with its digest as entity tag", async () => {
  await using web = await Web.start();
  const anna = await web.user("anna");
  const bytes = pattern(700_000);
  const put = await anna.ask("PUT", `${files}/home/a%20b`, {
    "last-modified": "Tue, 15 Nov 1994 12:45:26 GMT",
    "repr-digest": field(sha256(bytes)),
  }, bytes);
  assert.equal(put.status, 201);
  assert.equal(put.headers.get("location"), `${files}/home/a%20b`);
  assert.equal(put.json.sha256, sha256(bytes));
  const get = await anna.ask("GET", `${files}/home/a%20b`);
  assert.equal(get.status, 200);
  assert.equal(sha256(get.bytes), sha256(bytes));
  assert.equal(get.headers.get("etag"), `"${sha256(bytes)}"`);
  assert.equal(get.headers.get("repr-digest"), field(sha256(bytes)));
  assert.equal(get.headers.get("last-modified"), "Tue, 15 Nov 1994 12:45:26 GMT");
  assert.equal(get.headers.get("x-content-type-options"), "nosniff");
  const head = await anna.ask("HEAD", `${files}/home/a%20b`);
  assert.equal(head.headers.get("content-length"), "700000");
  assert.equal((await anna.ask("PUT", `${files}/home/a%20b`, {}, "x")).status, 200);
});

Deno.test("a body in chunks ends with its last chunk", async () => {
  await using web = await Web.start();
  const anna = await web.user("anna");
  await anna.begin("PUT", `${files}/home/f`, { "transfer-encoding": "chunked" });
  await anna.send("3\r\nabc\r\n5\r\ndefgh\r\n0\r\n\r\n");
  assert.equal((await anna.answer()).status, 201);
  assert.equal((await anna.ask("GET", `${files}/home/f`)).text, "abcdefgh");
});

Deno.test("a range from the start of an empty file is the whole file", async () => {
  await using web = await Web.start();
  const anna = await web.user("anna");
  await anna.ask("PUT", `${files}/home/empty`);
  for (const range of ["bytes=0-", "bytes=0-0", "bytes=0-99", "bytes=-5", "bytes=-0"]) {
    for (const url of [`${files}/home/empty`, "/dav/home/empty"]) {
      const { status, headers, text } = await anna.ask("GET", url, { range });
      assert.deepEqual([status, headers.get("content-length"), text], [200, "0", ""], range);
      assert.equal(headers.get("content-range"), undefined);
      assert.equal((await anna.ask("HEAD", url, { range })).status, 200);
    }
  }
  const beyond = await anna.ask("GET", `${files}/home/empty`, { range: "bytes=5-" });
  assert.deepEqual([beyond.status, beyond.headers.get("content-range")], [416, "bytes */0"]);
});

Deno.test("the time that a client sends is kept, also 0", async () => {
  await using web = await Web.start();
  const anna = await web.user("anna");
  const now = Date.now();
  const timeOf = async () => {
    const { json } = await anna.ask("GET", `${files}/home/f?stat`);
    const time = Date.parse(json.entry.modified);
    return time >= now - 60_000 ? "now" : time;
  };
  const times: [header: Headers, time: number | "now"][] = [
    [{ "x-oc-mtime": "0" }, 0],
    [{ "x-oc-mtime": "-1" }, -1000],
    [{ "x-oc-mtime": "1.5" }, 1500],
    [{ "x-oc-mtime": "0", "last-modified": "Tue, 15 Nov 1994 12:45:26 GMT" }, 0],
    [{ "last-modified": "Thu, 01 Jan 1970 00:00:00 GMT" }, 0],
    [{ "x-oc-mtime": "soon", "last-modified": "Thu, 01 Jan 1970 00:00:01 GMT" }, 1000],
    [{ "x-oc-mtime": "", "last-modified": "Thu, 01 Jan 1970 00:00:01 GMT" }, 1000],
    [{}, "now"],
  ];
  for (const [header, time] of times) {
    for (const url of [`${files}/home/f`, "/dav/home/f"]) {
      await anna.ask("PUT", url, header, "f");
      assert.equal(await timeOf(), time, JSON.stringify(header));
    }
  }
  const create = (modified: string) =>
    anna.ask("POST", `${api}/uploads/home/f`, {
      ...{ "tus-resumable": "1.0.0", "upload-length": "0" },
      "upload-metadata": `modified ${btoa(modified)}`,
    });
  assert.equal((await create("1970-01-01T00:00:00Z")).status, 201);
  assert.equal(await timeOf(), 0);
  // A time that no file can have is refused, and the file stays.
  assert.equal(
    (await anna.ask("PUT", `${files}/home/f`, { "x-oc-mtime": "1e99" }, "f")).status,
    400,
  );
  assert.equal((await create("9999-01-01T00:00:00Z")).status, 400);
  assert.equal(await timeOf(), 0);
  const epoch = { "if-modified-since": "Thu, 01 Jan 1970 00:00:00 GMT" };
  await anna.ask("PUT", `${files}/home/f`, { "x-oc-mtime": "0" }, "f");
  assert.equal((await anna.ask("GET", `${files}/home/f`, epoch)).status, 304);
  const unchanged = { "if-unmodified-since": "Thu, 01 Jan 1970 00:00:00 GMT" };
  assert.equal((await anna.ask("GET", `${files}/home/f`, unchanged)).status, 200);
});

Deno.test("ranges are answered as RFC 9110 says", async (t) => {
  await using web = await Web.start();
  const anna = await web.user("anna");
  const bytes = pattern(600_000);
  const { headers } = await anna.ask("PUT", `${files}/home/f`, {}, bytes);
  const etag = headers.get("etag")!;
  const cases: [range: string, status: number, from: number, to: number, more?: object][] = [
    ["bytes=0-0", 206, 0, 1],
    ["bytes=100-299999", 206, 100, 300_000],
    ["bytes=599999-", 206, 599_999, 600_000],
    ["bytes=-10", 206, 599_990, 600_000],
    ["bytes=-9999999", 206, 0, 600_000],
    ["bytes=5-99999999999999999999", 206, 5, 600_000],
    ["bytes=600000-", 416, 0, 0],
    ["bytes=-0", 416, 0, 0],
    ["bytes=5-2", 200, 0, 600_000],
    ["bytes=0-1,4-5", 200, 0, 600_000],
    ["lines=1-2", 200, 0, 600_000],
    ["bytes=1-2", 206, 1, 3, { "if-range": etag }],
    ["bytes=1-2", 200, 0, 600_000, { "if-range": '"other"' }],
  ];
  for (const [range, status, from, to, more] of cases) {
    await t.step(`${range} ${more ? "with If-Range" : ""}`, async () => {
      const answer = await anna.ask("GET", `${files}/home/f`, { range, ...more });
      assert.equal(answer.status, status);
      if (status === 416) {
        assert.equal(answer.headers.get("content-range"), "bytes */600000");
        assert.equal(answer.json.status, 416);
        return;
      }
      assert.equal(sha256(answer.bytes), sha256(bytes.subarray(from, to)));
      const told = status === 206 ? `bytes ${from}-${to - 1}/600000` : undefined;
      assert.equal(answer.headers.get("content-range"), told);
    });
  }
});

Deno.test("conditions apply to reads and writes", async () => {
  await using web = await Web.start();
  const anna = await web.user("anna");
  const url = `${files}/home/f`;
  const ask = async (method: string, headers: Record<string, string>, body = "") =>
    (await anna.ask(method, url, headers, body)).status;
  assert.equal(await ask("PUT", { "if-match": "*" }, "a"), 412);
  assert.equal(await ask("PUT", { "if-none-match": "*" }, "a"), 201);
  assert.equal(await ask("PUT", { "if-none-match": "*" }, "b"), 412);
  const etag = (await anna.ask("HEAD", url)).headers.get("etag")!;
  assert.equal(await ask("GET", { "if-none-match": etag }), 304);
  assert.equal(await ask("GET", { "if-none-match": `"x", W/${etag}` }), 304);
  assert.equal(await ask("GET", { "if-modified-since": new Date().toUTCString() }), 304);
  assert.equal(await ask("GET", { "if-match": '"x"' }), 412);
  assert.equal(await ask("PUT", { "if-match": `"x", ${etag}` }, "b"), 200);
  assert.equal(await ask("PUT", { "if-match": etag }, "c"), 412);
  assert.equal(await ask("DELETE", { "if-match": etag }), 412);
  assert.equal((await anna.ask("GET", url)).text, "b");
  assert.equal(await ask("DELETE", { "if-match": "*" }), 204);
});

Deno.test("of two writers with the same If-Match, one succeeds", async () => {
  await using web = await Web.start();
  const anna = await web.user("anna");
  const authorization = `Bearer ${
    (await web.store.tokens.issue(web.store.accounts.get("anna").id, "2")).token
  }`;
  const url = `${files}/home/f`;
  for (const size of [1000, 400_000]) { // the first is gathered in memory, the second staged
    const { headers } = await anna.ask("PUT", url, {}, `before ${size}`);
    const condition = { "if-match": headers.get("etag")! };
    const writers = await Promise.all(
      Array.from({ length: 4 }, () => web.client({ authorization })),
    );
    const said = await Promise.all(
      writers.map((writer, i) => writer.ask("PUT", url, condition, pattern(size, i))),
    );
    assert.deepEqual(said.map(({ status }) => status).sort(), [200, 412, 412, 412]);
    const winner = said.findIndex(({ status }) => status === 200);
    assert.equal(sha256((await anna.ask("GET", url)).bytes), sha256(pattern(size, winner)));
  }
});

Deno.test("a body with another digest makes no file, and a digest is computed on request", async () => {
  await using web = await Web.start();
  const anna = await web.user("anna");
  const url = `${files}/home/f`;
  for (const size of [1000, 400_000]) {
    const refused = await anna.ask(
      "PUT",
      url,
      { "content-digest": field(sha256(pattern(1))) },
      pattern(size),
    );
    assert.deepEqual([refused.status, refused.json.kind], [400, "digest"]);
  }
  const malformed = await anna.ask("PUT", url, { "repr-digest": "sha-256=:AAAA:" }, "abc");
  assert.equal(malformed.status, 400);
  assert.equal((await anna.ask("GET", url)).status, 404);
  await Deno.writeTextFile(`${web.store.settings.data}/homes/anna/by-hand`, "abc");
  const plain = await anna.ask("GET", `${files}/home/by-hand`);
  assert.equal(plain.headers.get("repr-digest"), undefined);
  assert.match(plain.headers.get("etag")!, /^W\//);
  const wanted = await anna.ask("GET", `${files}/home/by-hand`, {
    "want-repr-digest": "sha-256=5",
  });
  assert.equal(wanted.headers.get("repr-digest"), field(sha256(new TextEncoder().encode("abc"))));
});

Deno.test("an upload above the quota is refused before its body is sent", async () => {
  await using web = await Web.start();
  const anna = await web.user("anna", 1000);
  const expecting = { "content-length": "400000", "expect": "100-continue" };
  await anna.begin("PUT", `${files}/home/f`, expecting);
  const refused = await anna.answer();
  assert.equal(refused.status, 507);
  assert.equal(refused.json.kind, "over-quota");
  assert.equal(refused.headers.get("connection"), "close");
  const bob = await web.user("bob", 400_000);
  await bob.begin("PUT", `${files}/home/f`, expecting);
  assert.equal((await bob.answer()).status, 100);
  await bob.send(pattern(400_000));
  assert.equal((await bob.answer()).status, 201);
});

Deno.test("folders are listed, created, moved, copied and removed", async () => {
  await using web = await Web.start();
  const anna = await web.user("anna");
  const post = async (what: string, value: object) =>
    (await anna.json("POST", `${api}/${what}`, value)).status;
  assert.equal(await post("mkdir", { path: "/home/a/b", parents: true }), 201);
  assert.equal(await post("mkdir", { path: "/home/a" }), 409);
  await anna.ask("PUT", `${files}/home/a/b/f`, {}, "text");
  assert.equal(await post("copy", { from: "/home/a", to: "/home/c" }), 200);
  assert.equal(await post("copy", { from: "/home/a", to: "/home/a/d" }), 400);
  assert.equal(await post("move", { from: "/home/c/b/f", to: "/home/a/b/f" }), 409);
  const replace = { from: "/home/c/b/f", to: "/home/a/b/f", overwrite: "always" };
  assert.equal(await post("move", replace), 200);
  const tree = (await anna.ask("GET", `${files}/home/?recursive`)).json;
  const names = tree.entries.map(({ name }: { name: string }) => name);
  assert.deepEqual(names, ["a", "a/b", "a/b/f", "c", "c/b"]);
  const lines = await anna.ask("GET", `${files}/home`, { accept: "application/x-ndjson" });
  assert.deepEqual(lines.text.trim().split("\n").map((line) => JSON.parse(line).name), ["a", "c"]);
  assert.equal((await anna.ask("DELETE", `${files}/home/a`)).status, 409);
  assert.equal((await anna.ask("DELETE", `${files}/home/a?recursive`)).status, 204);
  assert.equal((await anna.ask("GET", `${files}/home/a`)).status, 404);
});
