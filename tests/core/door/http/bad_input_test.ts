/** Tests that bad input is refused with the right status and a problem in JSON. */
import assert from "node:assert/strict";
import { pattern, sha256 } from "../_peer.ts";
import type { Answer, Client } from "./_client.ts";
import { api, Web } from "./_web.ts";

const files = `${api}/files`;

function refused({ status, headers, json }: Answer, expected: number): void {
  assert.equal(status, expected, JSON.stringify(json));
  assert.equal(headers.get("content-type"), "application/problem+json");
  assert.equal(json.status, expected);
  assert.equal(json.type, `/problems/${json.kind}`);
}

Deno.test("paths that leave the tree or are ambiguous are refused", async (t) => {
  await using web = await Web.start();
  const anna = await web.user("anna");
  const { data } = web.store.settings;
  const cases: [path: string, status: number][] = [
    ["/home/../../accounts.db", 400],
    ["/home/%2e%2e/%2E%2E/accounts.db", 400],
    ["/home/.%2e/x", 400],
    ["/home/..%2f..%2faccounts.db", 400],
    ["/home/a%2Fb", 400],
    ["/home/a%00b", 400],
    ["/home/%c0%ae%c0%ae/x", 400],
    ["/home/%e0%80%ae/x", 400],
    ["/home/%ed%a0%80", 400],
    ["/home/%ff", 400],
    ["/home/%", 400],
    ["/home/%4", 400],
    ["/home/%zz", 400],
    ["/home/a\\..\\b", 400],
    ["//home/x", 400],
    ["/home//x", 400],
    ["/home/./x", 400],
    ["/staging", 404],
    ["/homes/anna/x", 404],
    [`/home/${"a".repeat(256)}`, 400],
    [`/home/${"a/".repeat(1600)}x`, 400],
    [`/home/${"%61".repeat(4000)}`, 414],
  ];
  for (const [path, status] of cases) {
    await t.step(path.slice(0, 40), async () => {
      refused(await anna.ask("GET", files + path), status);
      refused(await anna.ask("PUT", files + path, {}, "x"), status);
    });
  }
  assert.deepEqual(Array.from(Deno.readDirSync(`${data}/homes/anna`)), []);
});

Deno.test("heads that are too long or malformed are refused", async () => {
  await using web = await Web.start();
  const ask = async (work: (client: Client) => Promise<Answer>, status: number) =>
    refused(await work(await web.client()), status);
  await ask((c) => c.ask("GET", `${files}/home/${"a".repeat(20_000)}`), 414);
  await ask((c) => c.ask("GET", "/healthz", { "x-long": "a".repeat(20_000) }), 431);
  await ask((c) => c.ask("GET", "/healthz", { "x-long": "a".repeat(90_000) }), 431);
  await ask((c) => c.ask("TRACE", "/healthz"), 501);
  await ask((c) => c.ask("PATCH", "/healthz"), 405);
  await ask((c) => c.ask("GET", "/none"), 404);
  for (
    const text of [
      "hello\r\n\r\n",
      "GET /healthz HTTP/1.1\r\n\r\n",
      "GET /healthz HTTP/1.1\r\nHost: localhost\r\nHost: b\r\n\r\n",
      "GET /healthz HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
      "PUT /x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
      "PUT /x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
      "GET /healthz HTTP/1.1\r\nHost : a\r\n\r\n",
      "GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: a\0b\r\n\r\n",
    ]
  ) {
    const client = await web.client();
    await client.send(text);
    const answer = await client.answer();
    assert.ok(answer.status === 400 || answer.status === 404, `${answer.status}: ${text}`);
    assert.equal(await client.end(), ""); // and the connection ends
  }
});

Deno.test("a request whose end is ambiguous is refused before a login", async () => {
  await using web = await Web.start();
  const next = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";
  const put = (head: string, body: string, version = "1.1") =>
    `PUT ${files}/home/f HTTP/${version}\r\nHost: localhost\r\n${head}\r\n\r\n${body}${next}`;
  const chunked = "Transfer-Encoding: chunked";
  for (
    const [status, text] of [
      [400, put(chunked, "0\r\n\r\n", "1.0")],
      [400, put("Transfer-Encoding: identity", "", "1.0")],
      [501, put("Transfer-Encoding: gzip", "0\r\n\r\n")],
      [501, put("Transfer-Encoding: gzip, chunked", "0\r\n\r\n")],
      [501, put("Transfer-Encoding: xchunked", "0\r\n\r\n")],
      [501, put(`${chunked};q=1`, "0\r\n\r\n")],
      [400, put("Transfer-Encoding: chunked, chunked", "0\r\n\r\n")],
      [400, put(`${chunked}\r\n${chunked}`, "0\r\n\r\n")],
      [400, put("Transfer-Encoding: identity\r\nContent-Length: 3", "abc")],
      [400, put(`${chunked}\r\nContent-Length: 5`, "0\r\n\r\n")],
      [400, put("Content-Length: 3\r\nContent-Length: 3", "abc")],
      [400, put("Content-Length: 3, 3", "abc")],
      [400, put("Content-Length: +3", "abc")],
      [400, put("Content-Length: 0x3", "abc")],
      [400, put("Host: localhost\r\nContent-Length: 3", "abc")],
      [400, put("Transfer-Encoding : chunked\r\nContent-Length: 3", "abc")],
      [400, put("Content-Length: 3\r\n X: folded", "abc")],
      [400, put("Content-Length: 3\nX: a", "abc")],
      [505, put("Content-Length: 3", "abc", "2.0")],
      [505, put("Content-Length: 3", "abc", "0.9")],
    ] as const
  ) {
    const client = await web.client();
    await client.send(text);
    const all = await client.end();
    const statuses = Array.from(all.matchAll(/^HTTP\/1.1 (\d+)/gm), ([, status]) => Number(status));
    assert.deepEqual(statuses, [status], text); // and the request that follows is not carried out
  }
  const client = await web.client();
  await client.send("GET /healthz\r\n\r\n"); // HTTP/0.9
  assert.match(await client.end(), /^HTTP\/1.1 505 /);
});

Deno.test("bodies that are too long, too short or missing are refused", async () => {
  await using web = await Web.start();
  const anna = await web.user("anna");
  const put = `${files}/home/f`;
  await anna.ask("PUT", put, {}, "before");
  const again = async () => {
    const { id } = web.store.accounts.get("anna");
    const { token } = await web.store.tokens.issue(id, "again");
    return await web.client({ authorization: `Bearer ${token}` });
  };
  const longer = await again();
  await longer.begin("PUT", put, { "content-length": "3" });
  await longer.send("abcdef");
  assert.equal((await longer.answer()).status, 200);
  refused(await longer.answer(), 400); // the rest is not a request
  assert.equal((await anna.ask("GET", put)).text, "abc");
  const chunks = await again();
  await chunks.begin("PUT", put, { "transfer-encoding": "chunked" });
  await chunks.send("3\r\nxyz\r\nno length\r\n");
  refused(await chunks.answer(), 400);
  const huge = await again();
  await huge.begin("PUT", put, { "content-length": String(2 ** 60) });
  refused(await huge.answer(), 413);
  assert.equal((await anna.ask("GET", put)).text, "abc");
  refused(await anna.ask("PUT", put, { "content-encoding": "gzip" }, "x"), 415);
  refused(await anna.ask("PUT", put, { "content-range": "bytes 0-0/5" }, "x"), 400);
  refused(await anna.ask("PUT", `${put}/`, {}, "x"), 400);
  refused(await anna.ask("PUT", `${files}/home`, {}, "x"), 409);
  refused(await anna.ask("PUT", `${files}/home/none/f`, {}, "x"), 409);
  assert.equal((await anna.ask("GET", put)).text, "abc");
});

Deno.test("the refusal of invalid JSON names the field", async () => {
  await using web = await Web.start();
  const anna = await web.user("anna");
  const type = { "content-type": "application/json" };
  const mkdir = `${api}/mkdir`;
  const said = async (text: string) => {
    const answer = await anna.ask("POST", mkdir, type, text);
    refused(answer, 400);
    return answer.json.detail;
  };
  assert.match(await said("{"), /not JSON/);
  assert.match(await said("[]"), /missing/);
  assert.match(await said('{"path":5}'), /^path: /);
  assert.match(await said('{"path":"/home/x","more":1}'), /^more: /);
  assert.match(await said('{"__proto__":{"path":"/home/x"}}'), /^path: /);
  refused(await anna.ask("POST", mkdir, type, `{"path":"${"a".repeat(300_000)}"}`), 413);
  refused(await anna.ask("POST", mkdir, {}, "{}"), 415);
  refused(await anna.ask("GET", `${files}/home?archive=rar`), 400);
  assert.deepEqual((await anna.ask("GET", `${files}/home`)).json.entries, []);
});

Deno.test("a connection that is cut during a PUT leaves a partial upload, and never a file", async () => {
  await using web = await Web.start();
  const anna = await web.user("anna");
  const put = `${files}/home/f`;
  await anna.ask("PUT", put, {}, "before");
  const { id } = web.store.accounts.get("anna");
  const { token } = await web.store.tokens.issue(id, "cut");
  const bytes = pattern(2_000_000);
  const cut = await web.client({ authorization: `Bearer ${token}` });
  await cut.begin("PUT", put, { "content-length": "2000000", "expect": "100-continue" });
  assert.equal((await cut.answer()).status, 100);
  await cut.send(bytes.subarray(0, 1_000_000));
  cut[Symbol.dispose]();
  // The ledger shows when the server has noticed.
  const stat = async () => (await anna.ask("GET", `${put}?stat`)).json;
  while (web.store.reservations.uploads().some(({ holder }) => holder !== null)) await stat();
  const { entry, upload } = await stat();
  assert.equal(entry.size, 6);
  assert.equal(upload.size, 2_000_000);
  assert.ok(upload.offset > 0 && upload.offset <= 1_000_000, `${upload.offset}`);
  const rest = await anna.ask("PATCH", `${api}/uploads/home/f`, {
    "upload-offset": String(upload.offset),
    "content-type": "application/offset+octet-stream",
  }, bytes.subarray(upload.offset));
  assert.equal(rest.status, 204);
  assert.equal(sha256((await anna.ask("GET", put)).bytes), sha256(bytes));
});
