import assert from "node:assert/strict";
import { BargeError, type Kind } from "../../../core/error.ts";
import { type OutboundRequest, sendRequest } from "../../../core/outbound/request.ts";
import { makeAuthority } from "../net/_authority.ts";

type Handler = (request: Request) => Response | Promise<Response>;

function serve(handler: Handler, tls: object = {}) {
  return Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {}, ...tls }, handler);
}

async function assertFails(kind: Kind, text: RegExp, request: OutboundRequest) {
  await assert.rejects(sendRequest(request), (error) => {
    assert.ok(error instanceof BargeError, String(error));
    assert.equal(error.kind, kind);
    assert.match(error.toString(), text);
    return true;
  });
}

Deno.test("an outbound request sends its method, headers and body", async () => {
  await using server = serve(async (request) =>
    Response.json(
      [request.method, request.headers.get("x-event"), await request.text()],
      { status: 503 },
    )
  );
  const answer = await sendRequest({
    url: `http://127.0.0.1:${server.addr.port}/hook`,
    method: "POST",
    headers: { "x-event": "commit" },
    body: "{}",
  });
  assert.equal(answer.status, 503);
  assert.deepEqual(JSON.parse(new TextDecoder().decode(answer.body)), ["POST", "commit", "{}"]);
});

Deno.test("an outbound request does not follow a redirect", async () => {
  let requests = 0;
  await using server = serve(() => {
    requests++;
    return new Response(null, { status: 302, headers: { location: "/elsewhere" } });
  });
  const answer = await sendRequest({ url: `http://127.0.0.1:${server.addr.port}/` });
  assert.equal(answer.status, 302);
  assert.equal(requests, 1);
});

Deno.test("an outbound request trusts the authorities it is given, and no other", async () => {
  const authority = await makeAuthority();
  await using server = serve(() => new Response("ok"), await authority.issue(["127.0.0.1"]));
  const url = `https://127.0.0.1:${server.addr.port}/`;
  assert.equal((await sendRequest({ url, trust: [authority.cert] })).status, 200);
  await assertFails("unavailable", /certificate/, { url });
});

Deno.test("an outbound request fails in its time if the server does not answer", async () => {
  const held = Promise.withResolvers<Response>();
  await using server = serve(() => held.promise);
  const url = `http://127.0.0.1:${server.addr.port}/`;
  await assertFails("unavailable", /no answer in time/, { url, timeoutMs: 50 });
  held.resolve(new Response());
});

Deno.test("an outbound request ends when it is canceled in the middle of a body", async () => {
  const stop = new AbortController();
  await using server = serve(() => {
    const body = new ReadableStream({
      start(controller) {
        controller.enqueue(new Uint8Array(1));
        stop.abort();
      },
    });
    return new Response(body);
  });
  const url = `http://127.0.0.1:${server.addr.port}/`;
  await assertFails("interrupted", /interrupted/, { url, signal: stop.signal });
});

Deno.test("an outbound request refuses a longer body than allowed", async () => {
  await using server = serve(() => new Response("12345"));
  const url = `http://127.0.0.1:${server.addr.port}/`;
  await assertFails("protocol", /longer than 4 bytes/, { url, maxBytes: 4 });
  assert.equal((await sendRequest({ url, maxBytes: 5 })).body.length, 5);
});

Deno.test("an outbound request fails where no server listens, and where the body is cut", async () => {
  // A port without a listener: tcpmux (RFC 1078), which only root could open.
  await assertFails("unavailable", /get http:/, { url: "http://127.0.0.1:1/" });
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const cutting = (async () => {
    using connection = await listener.accept();
    await connection.read(new Uint8Array(4096));
    await connection.write(
      new TextEncoder().encode("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf"),
    );
  })();
  await assertFails("unavailable", /get http:/, { url: `http://127.0.0.1:${listener.addr.port}/` });
  await cutting;
});

Deno.test("an outbound request goes to an address of HTTP only", async () => {
  await assertFails("usage", /not an address of HTTP/, { url: "file:///etc/passwd" });
  await assertFails("usage", /not an address of HTTP/, { url: "nonsense" });
});

Deno.test("the reason of a failed request repeats only the host of its URL, which may be a secret", async () => {
  using closing = Deno.listen({ port: 0, hostname: "127.0.0.1" });
  const cutting = closing.accept().then((conn) => conn.close());
  const cut = `http://127.0.0.1:${closing.addr.port}/se%63ret?key=secret`;
  for (const url of [cut, "http://nowhere.invalid/secret", "https://127.0.0.1:8/secret"]) {
    const error = await sendRequest({ url }).catch((error) => error);
    assert.ok(error instanceof BargeError, String(error));
    assert.ok(!/secret|se%63ret/.test(error.message), error.message);
    assert.equal(error.path, url);
  }
  await cutting;
});
