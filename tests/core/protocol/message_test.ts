import assert from "node:assert/strict";
import fc from "fast-check";
import { BargeError, kinds } from "../../../core/error.ts";
import { Decoder, encodeFrame, type FrameValue, maxFrame } from "../../../core/protocol/frame.ts";
import { failure } from "../../../core/protocol/failure.ts";
import {
  maxEagerBytes,
  parseAnswer,
  parseBodyFrame,
  parseRequest,
  verbs,
} from "../../../core/protocol/message.ts";
import { nonce } from "../../../core/protocol/scram.ts";

function wrong(run: () => unknown): BargeError {
  let caught: unknown;
  try {
    run();
  } catch (e) {
    caught = e;
  }
  assert.ok(caught instanceof BargeError, `expected a BargeError, got ${caught}`);
  return caught;
}

const refuses: [FrameValue, string, string][] = [
  [{}, "protocol", "a request has no verb"],
  [{ verb: "levitate" }, "unsupported", 'unknown verb "levitate"'],
  [{ verb: "toString" }, "unsupported", 'unknown verb "toString"'],
  [{ verb: "list" }, "protocol", "list: field path is missing"],
  [{ verb: "list", path: 3 }, "protocol", "list: field path must be string, not number"],
  [{ verb: "list", path: null }, "protocol", "list: field path must be string, not null"],
  [{ verb: "get", path: "/home", offset: 0.5 }, "protocol", "get: field offset: out of range"],
  [{ verb: "get", path: "/home", offset: -1 }, "protocol", "get: field offset: out of range"],
  [{ verb: "get", path: "/home", offset: 2 ** 53 }, "protocol", "get: field offset: out of range"],
  [
    { verb: "digest", path: "/home/a", algorithm: "crc" },
    "unsupported",
    'digest: unknown algorithm "crc"',
  ],
  [{ verb: "token", action: "issue" }, "protocol", "token: field label is missing"],
];

Deno.test("the error of an invalid request names the field and the reason", () => {
  for (const [frame, kind, text] of refuses) {
    const error = wrong(() => parseRequest(frame));
    assert.equal(error.kind, kind);
    assert.equal(error.toString(), text);
  }
});

Deno.test("an error does not quote the invalid value, which may be secret or long", () => {
  const secret = "hunter2 ".repeat(5000);
  const error = wrong(() => parseRequest({ verb: "proof", proof: secret }));
  assert.ok(!error.toString().includes("hunter2") && error.toString().length < 200);
});

Deno.test("unknown fields are dropped, defaults are set", () => {
  assert.deepEqual(parseRequest({ verb: "list", path: "/home", color: "red" }), {
    verb: "list",
    path: "/home",
    recursive: false,
  });
});

Deno.test("times are RFC 3339, and exist", () => {
  const at = (modified: string) => () => parseRequest({ verb: "mkdir", path: "/home/a", modified });
  for (const time of ["2026-03-01T12:00:00Z", "1969-12-31T23:59:59.123456789-05:30"]) at(time)();
  for (
    const time of [
      "2026-03-01",
      "2026-03-01 12:00:00Z",
      "2026-03-01T12:00:00",
      "2026-03-01T12:00Z",
      "2026-13-01T12:00:00Z",
      "2026-03-01T25:00:00Z",
      "2026-03-01T12:00:00+0100",
      "now",
    ]
  ) assert.equal(wrong(at(time)).kind, "protocol", time);
});

Deno.test("an eager body is size bytes, up to the limit", () => {
  const put = (size: number | null, body: unknown) => () =>
    parseRequest({ verb: "put", path: "/home/a", size, body });
  put(0, 0)();
  put(maxEagerBytes, maxEagerBytes)();
  for (
    const [size, body] of [[3, 4], [3, "chunked"], [null, "chunked"], [null, 0], [
      maxEagerBytes + 1,
      maxEagerBytes + 1,
    ]] as const
  ) assert.equal(wrong(put(size, body)).kind, "protocol");
});

Deno.test("a verifier has the server's own costs: doors run scrypt with them", () => {
  const key = `${"A".repeat(43)}=`;
  const good = { salt: "AAAAAAAAAAAAAAAAAAAAAA==", n: 32768, r: 8, p: 1 };
  const passwd = (change: object) => () =>
    parseRequest({
      verb: "passwd",
      verifier: { ...good, storedKey: key, serverKey: key, ...change },
    });
  passwd({})();
  for (
    const change of [
      { n: 1 },
      { n: 8192 },
      { n: 32769 },
      { n: 16384 },
      { n: 65536 },
      { n: 262144 },
      { n: 2 ** 52 },
      { r: 1 },
      { r: 128 },
      { p: 0 },
      { p: 2 },
      { p: 16 },
      { salt: "" },
      { salt: nonce(15) },
      { salt: nonce(24) },
      { salt: "AAAAAAAAAAAAAAAAAAAAAB==" },
      { salt: "AAAA" },
      { salt: "A".repeat(132) },
      { salt: "AAAAAAAAAAAAAAAAAAAAAA" },
      { salt: "AAAAAAAAAAAAAAAAAAAA_A==" },
      { storedKey: "AAAA" },
      { serverKey: `${"A".repeat(42)}==` },
    ]
  ) assert.equal(wrong(passwd(change)).kind, "protocol", JSON.stringify(change));
});

Deno.test("any JSON object as a request, answer or trailer: parsed, or a BargeError", () => {
  const object = fc.dictionary(
    fc.constantFrom("verb", "path", "size", "body", "ok", "error", "offset", "sha256", "entries"),
    fc.oneof(fc.jsonValue(), fc.constantFrom(...verbs)),
  );
  fc.assert(fc.property(object, (value) => {
    const frame = value as FrameValue;
    const runs: (() => unknown)[] = [
      () => parseRequest(frame),
      () => parseBodyFrame("from", frame),
      () => parseBodyFrame("trailer", frame),
      ...verbs.map((verb) => () => parseAnswer(verb, frame)),
    ];
    for (const run of runs) {
      try {
        run();
      } catch (e) {
        assert.ok(e instanceof BargeError, String(e));
      }
    }
  }));
});

Deno.test("a failure arrives as it was sent, without its cause", () => {
  for (const kind of Object.keys(kinds) as (keyof typeof kinds)[]) {
    const facts = { op: "put", path: "/home/ü", account: "alice", hint: "try" };
    const sent = new BargeError(kind, "why", { ...facts, cause: new Error("inner") });
    const decoder = new Decoder();
    decoder.push(encodeFrame(failure(sent)));
    const event = decoder.next();
    assert.ok(event?.type === "frame");
    const got = wrong(() => parseAnswer("put", event.value));
    assert.deepEqual({ ...got }, { ...new BargeError(kind, "why", facts) });
    assert.equal(got.message, "why");
    assert.equal(got.cause, undefined);
  }
});

Deno.test("a failure fits into a frame, for any quoted text", () => {
  fc.assert(fc.property(fc.constantFrom("\0", "é", "漢", "😀", '"', "\ud800"), (unit) => {
    const text = unit.repeat(maxFrame);
    const facts = { op: text, path: text, account: text, hint: text };
    const frame = encodeFrame(failure(new BargeError("usage", text, facts)));
    assert.ok(frame.length <= maxFrame + 4);
  }));
});

Deno.test("an unknown kind becomes refused; an answer without ok is a protocol error", () => {
  const answer = (error: unknown) => wrong(() => parseAnswer("ping", { ok: false, error }));
  assert.equal(answer({ kind: "tired", message: "m" }).kind, "refused");
  assert.equal(answer({ kind: "__proto__", message: "m" }).kind, "refused");
  assert.equal(answer({ kind: "denied" }).kind, "protocol");
  assert.equal(wrong(() => parseAnswer("ping", {})).kind, "protocol");
  assert.equal(wrong(() => parseAnswer("ping", { ok: "true" })).kind, "protocol");
});
