import assert from "node:assert/strict";
import { BargeError, type Kind } from "../../../core/error.ts";
import { dial } from "../../../core/net/dial.ts";

const options = { timeout: 10_000, idleTimeoutMs: 10_000 };

function failing(kind: Kind, text: RegExp) {
  return (e: unknown) => {
    assert.ok(e instanceof BargeError, String(e));
    assert.equal(e.kind, kind);
    assert.match(e.toString(), text);
    return true;
  };
}

/** A port without a listener: tcpmux (RFC 1078), which only root could open. */
const deadPort = 1;

Deno.test("dial returns an open stream", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  using near = await dial({ host: "127.0.0.1", port }, options);
  using far = await listener.accept();
  await near.write(new Uint8Array([7]));
  const buffer = new Uint8Array(4);
  assert.equal(await far.read(buffer), 1);
  assert.equal(near.peer, `127.0.0.1:${port}`);
});

Deno.test("dial fails with unavailable and a hint where no server listens", async () => {
  const port = deadPort;
  await assert.rejects(dial({ host: "127.0.0.1", port }, options), (e) => {
    assert.match((e as BargeError).hint ?? "", /barge serve/);
    return failing(
      "unavailable",
      new RegExp(`^connect to 127\\.0\\.0\\.1:${port}: nothing listens there$`),
    )(e);
  });
});

Deno.test("a name that does not exist is unavailable", async () => {
  await assert.rejects(
    dial({ host: "no-such-host.invalid", port: 1 }, options),
    failing("unavailable", /^connect to no-such-host\.invalid:1: /),
  );
});

Deno.test("dial does not connect if its signal is already aborted", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  await assert.rejects(
    dial({ host: "127.0.0.1", port: listener.addr.port }, {
      ...options,
      signal: AbortSignal.abort(),
    }),
    failing("interrupted", /^connect to 127\.0\.0\.1:\d+: interrupted$/),
  );
});

Deno.test("dial throws the reason of its signal", async () => {
  const reason = new BargeError("unavailable", "the program ends");
  await assert.rejects(
    dial({ host: "127.0.0.1", port: deadPort }, {
      ...options,
      signal: AbortSignal.abort(reason),
    }),
    failing("unavailable", /the program ends$/),
  );
});
