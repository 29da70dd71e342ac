/** The transcript of PROTOCOL.md, line by line, against the server: it shows what the server does. */
import assert from "node:assert/strict";
import { encodeFrame, type FrameValue } from "../../../core/protocol/frame.ts";
import { defaultTimeouts } from "../../../core/door/native/timeouts.ts";
import { prove } from "../../../core/protocol/scram.ts";
import { makeVerifier } from "../../../core/protocol/verifier.ts";
import { Here } from "./_here.ts";
import { type Bytes, join, Peer, text } from "./_peer.ts";

const document = Deno.readTextFileSync(new URL("../../../PROTOCOL.md", import.meta.url));
const [, bytes, lines] = /## Transcript\n[^]*?```\n([^]*?)```[^]*?```\n([^]*?)```/.exec(document)!;
const password = "correct horse";

/** The bytes of a line that is no frame: text with escapes, or hex and quoted text. */
function raw(line: string): Bytes {
  const pieces = [...line.matchAll(/([0-9a-f]{2})(?= |$)|"([^"]*)"/g)];
  if (!/^(?:[0-9a-f]{2} |")/.test(line)) return text(line.replaceAll("\\n", "\n"));
  return join(
    ...pieces.map(([, hex, quoted]) =>
      hex ? new Uint8Array([parseInt(hex, 16)]) : text(quoted.replaceAll("\\n", "\n"))
    ),
  );
}

/** The same fields; those of a login that are made of nonces need only be of the same type. */
function assertLike(got: FrameValue, shown: FrameValue): void {
  const random = ["nonce", "salt", "signature"];
  const fixed = (frame: FrameValue) =>
    Object.fromEntries(
      Object.entries(frame).map(([name, value]) => [
        name,
        random.includes(name) ? typeof value : value,
      ]),
    );
  assert.deepEqual(fixed(got), fixed(shown));
}

Deno.test("PROTOCOL.md's first frame is its transcript's first line", () => {
  const hex = [...encodeFrame(JSON.parse(lines.split("\n")[0].slice(2)))]
    .map((byte) => byte.toString(16).padStart(2, "0"));
  assert.equal(bytes.trim().replaceAll("\n", " "), hex.join(" "));
});

Deno.test("PROTOCOL.md's transcript is what the server says", async () => {
  await using here = await Here.start({ pause: defaultTimeouts.pause });
  const verifier = await makeVerifier("password", password);
  here.store.accounts.add({ name: "alice", role: "user", limit: null, verifier });
  let peer = await Peer.connect(here.address);
  try {
    let asked: FrameValue = {};
    let proof = "";
    let body = 0;
    for (const line of lines.trim().split("\n")) {
      const [sign, rest] = [line.slice(0, 2), line.slice(2)];
      if (line.startsWith("(")) {
        await peer.stream.end();
        await peer.gone();
        peer[Symbol.dispose]();
        peer = await Peer.open(here.address);
        assert.equal((await peer.prove("alice", password)).ok, true);
      } else if (sign === "> " && rest.startsWith("{")) {
        const frame = JSON.parse(rest);
        if (frame.verb === "proof") frame.proof = proof;
        if (frame.verb) asked = frame;
        await peer.send(frame);
      } else if (sign === "> ") {
        await peer.send(raw(rest));
      } else if (body > 0) {
        assert.deepEqual(await peer.body(), raw(rest));
        body = 0;
      } else {
        assert.equal(sign, "< ", line);
        const got = await peer.answer();
        assertLike(got, JSON.parse(rest));
        body = typeof got.body === "number" ? got.body : 0;
        if (asked.verb === "auth") {
          const exchange = { ...asked, ...got, clientNonce: asked.nonce, serverNonce: got.nonce };
          proof = (await prove(password, exchange as never)).proof;
        }
      }
    }
    await peer.gone();
  } finally {
    peer[Symbol.dispose]();
  }
});
