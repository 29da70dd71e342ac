/** Tests clients that end their side of the connection, and wait for the response. */
import assert from "node:assert/strict";
import { makeSelfSigned } from "../../../../core/net/self_signed.ts";
import { pattern, sha256 } from "../_peer.ts";
import type { Client, Headers } from "./_client.ts";
import { api, Web } from "./_web.ts";

const tus = { "tus-resumable": "1.0.0", "content-type": "application/offset+octet-stream" };
const json = { "content-type": "application/json" };
const propfind = `<D:propfind xmlns:D="DAV:"><D:allprop/></D:propfind>`;

Deno.test("an upload over TLS ends soon after its sender has left, also during the transfer", async () => {
  const tls = await makeSelfSigned(["127.0.0.1"]);
  await using web = await Web.start({}, { probeMs: 200, stallMs: 600_000 }, {}, tls);
  const anna = await web.user("anna");
  await anna.begin("PUT", `${api}/files/home/cut`, { "content-length": "3000000" });
  await anna.send(pattern(2_000_000));
  anna[Symbol.dispose]();
  while (web.door.connections > 0) await new Promise((resolve) => setTimeout(resolve, 5));
  await web.door.stop(0);
  const [{ holder, size }] = web.store.reservations.uploads();
  assert.deepEqual([holder, size], [null, 3_000_000]);
});

Deno.test("a client over TLS that pauses during a body can continue", async () => {
  const tls = await makeSelfSigned(["127.0.0.1"]);
  await using web = await Web.start({}, { probeMs: 0 }, {}, tls);
  const anna = await web.user("anna");
  await anna.begin("PUT", `${api}/files/home/f`, { "content-length": "200000" });
  await anna.send(pattern(200_000).subarray(0, 100_000));
  assert.equal((await anna.answer()).status, 100);
  await anna.send(pattern(200_000).subarray(100_000));
  let { status } = await anna.answer();
  while (status === 100) ({ status } = await anna.answer());
  assert.equal(status, 201);
});

for (const scheme of ["http", "https"]) {
  Deno.test(`${scheme}: a request is answered after its sender has ended its side`, async () => {
    const tls = scheme === "https" ? await makeSelfSigned(["127.0.0.1"]) : undefined;
    await using web = await Web.start({}, {}, {}, tls);
    const anna = await web.user("anna");
    await anna.ask("PUT", `${api}/files/home/a`, {}, "a");
    const { token } = await web.store.tokens.issue(web.store.accounts.get("anna").id, "2");
    /** Sends requests on a new connection, and ends its side. */
    const sends = async (work: (client: Client) => Promise<void>): Promise<Client> => {
      const client = await web.client({ authorization: `Bearer ${token}` });
      await work(client);
      await client.closeWrite();
      return client;
    };
    const asks = async (method: string, path: string, headers: Headers, body: Uint8Array) => {
      const client = await sends(async (client) => {
        const length = body.length > 0 ? { "content-length": String(body.length) } : undefined;
        await client.begin(method, path, { ...length, ...headers });
        await client.send(body);
      });
      const { status } = await client.answer(method);
      return status;
    };
    const bytes = pattern(200_000);
    const none = new Uint8Array();
    const text = (text: string) => new TextEncoder().encode(text);
    assert.equal(await asks("GET", `${api}/files/home/a`, {}, none), 200);
    assert.equal(await asks("HEAD", `${api}/files/home/a`, {}, none), 200);
    assert.equal(await asks("PUT", `${api}/files/home/large`, {}, bytes), 201);
    assert.equal(await asks("PUT", `${api}/files/home/small`, {}, bytes.subarray(0, 10)), 201);
    assert.equal(await asks("PUT", "/dav/home/dav", {}, bytes), 201);
    assert.equal(await asks("PROPFIND", "/dav/home/", { depth: "1" }, text(propfind)), 207);
    assert.equal(await asks("MKCOL", "/dav/home/col", {}, none), 201);
    const folder = text(JSON.stringify({ path: "/home/folder" }));
    assert.equal(await asks("POST", `${api}/mkdir`, json, folder), 201);
    const begins = { ...tus, "upload-length": "200000" };
    assert.equal(await asks("POST", `${api}/uploads/home/tus`, begins, none), 201);
    const next = { ...tus, "upload-offset": "0" };
    assert.equal(await asks("PATCH", `${api}/uploads/home/tus`, next, bytes), 204);
    const chunked = await sends(async (client) => {
      await client.begin("PUT", `${api}/files/home/chunked`, { "transfer-encoding": "chunked" });
      await client.send("5\r\nabcde\r\n0\r\n\r\n");
    });
    assert.equal((await chunked.answer()).status, 201);
    for (const name of ["large", "dav", "tus"]) {
      const file = await anna.ask("GET", `${api}/files/home/${name}`);
      assert.equal(sha256(file.bytes), sha256(bytes), name);
    }
    // Of several requests on one connection, all but the last one, which is cut, are answered.
    const several = await sends(async (client) => {
      for (const name of ["one", "two", "cut"]) {
        const all = name === "cut" ? 1000 : 10;
        await client.begin("PUT", `${api}/files/home/${name}`, { "content-length": String(all) });
        await client.send(bytes.subarray(0, 10));
      }
    });
    assert.equal((await several.answer()).status, 201);
    assert.equal((await several.answer()).status, 201);
    assert.equal(await several.end(), "");
    assert.equal((await anna.ask("GET", `${api}/files/home/cut`)).status, 404);
    // A request that is cut in its head, and one during an upload.
    const head = await sends((client) => client.send("GET / HTTP/1.1\r\nHo"));
    await head.end();
    const cut = await sends(async (client) => {
      await client.begin("PUT", `${api}/files/home/cut`, { "content-length": "100000" });
      await client.send(bytes.subarray(0, 90_000));
    });
    assert.equal(await cut.end(), "");
    const { json: { upload } } = await anna.ask("GET", `${api}/files/home/cut?stat`);
    assert.equal(upload.size, 100_000);
  });
}
