import assert from "node:assert/strict";
import { BargeError } from "../../../core/error.ts";
import { connect } from "../../../core/client/connect.ts";
import { formatRemote, parseRemote } from "../../../core/client/remote.ts";

Deno.test("a remote is read with and without scheme, account and port", () => {
  const read = (text: string) => ({ account: undefined, ...parseRemote(text) });
  const anna = { account: "anna", host: "files.example", port: 7171 };
  assert.deepEqual(read("barge://anna@files.example"), anna);
  assert.deepEqual(read("barge://anna@files.example:7171/"), anna);
  assert.deepEqual(read("files.example:80"), { ...anna, account: undefined, port: 80 });
  assert.deepEqual(read("anna@[::1]:80"), { account: "anna", host: "::1", port: 80 });
  assert.deepEqual(read("localhost"), { account: undefined, host: "localhost", port: 7171 });
});

Deno.test("an invalid remote is refused", () => {
  const texts = ["", "barge://", "http://x", "a b", "@host", "host:99999", "host:0", "x/y", "::1"];
  for (const text of texts) {
    assert.throws(() => parseRemote(text), (e) => e instanceof BargeError && e.kind === "usage");
  }
  assert.throws(() => parseRemote("barge://anna:pw@host"), /a password does not belong/);
});

Deno.test("a refusal at the default port names that port, and where the server shows its own", async () => {
  // No address of this network but 127.0.0.1 is usual for servers.
  const failure = connect({ host: "127.71.71.71", port: 7171 });
  await assert.rejects(failure, (error) => {
    assert.ok(error instanceof BargeError && error.kind === "unavailable");
    assert.match(`${error.hint}`, /an address without a port means 7171, .*its own at its start/);
    return true;
  });
  await assert.rejects(connect({ host: "127.0.0.1", port: 1 }), (error) => {
    assert.equal((error as BargeError).hint, "check that `barge serve` is running");
    return true;
  });
});

Deno.test("a formatted remote is parsed again", () => {
  for (const text of ["barge://anna@files.example:7171", "barge://[::1]:80", "barge://a%40b@h:1"]) {
    assert.equal(formatRemote(parseRemote(text)), text);
  }
});
