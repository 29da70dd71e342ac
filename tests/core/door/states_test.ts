/** Every verb in every state of a connection, against the tables of PROTOCOL.md. */
import assert from "node:assert/strict";
import { nonce } from "../../../core/protocol/scram.ts";
import { verbs } from "../../../core/protocol/message.ts";
import { makeVerifier } from "../../../core/protocol/verifier.ts";
import { Here } from "./_here.ts";
import { Peer, type Piece, text } from "./_peer.ts";

const document = Deno.readTextFileSync(new URL("../../../PROTOCOL.md", import.meta.url));

/** The verbs that the table of states names for a state, before its semicolon. */
function allowed(state: string): string[] {
  const row = new RegExp(`^\\| ${state} +\\|([^|]*)\\|`, "m").exec(document);
  assert.ok(row, `PROTOCOL.md has no state ${state}`);
  return [...row[1].split(";")[0].matchAll(/`([a-z-]+)`/g)].map(([, verb]) => verb);
}

const greeted = allowed("greeted");
const verifier = await makeVerifier("token", "x").then((made) => ({ ...made, n: 32768, r: 8 }));
const proof = `${"A".repeat(43)}=`;

/** A request of each verb whose fields fit. */
const requests: Record<string, object> = {
  hello: { version: 1 },
  auth: { mechanism: "password", account: "nobody", nonce: nonce() },
  proof: { proof },
  register: { account: "x", verifier },
  list: { path: "/home" },
  stat: { path: "/home" },
  get: { path: "/home/none" },
  put: { path: "/none/x", size: 3 },
  "put-many": { files: [{ path: "/none/x", size: 3, sha256: "0".repeat(64) }], body: 3 },
  "get-many": { paths: ["/home/none"] },
  copy: { from: "/home/none", to: "/home/x" },
  move: { from: "/home/none", to: "/home/x" },
  remove: { path: "/home/none" },
  uploads: {},
  drop: { path: "/home/none" },
  mkdir: { path: "/home" },
  quota: {},
  status: {},
  digest: { path: "/home/none" },
  grow: { limit: 5 },
  passwd: { verifier },
  token: { action: "revoke", id: "none" },
  tokens: {},
  audit: {},
  totp: {},
  "set-totp": { action: "disable", proof, code: "123456" },
  ping: {},
  bye: {},
};
/** Those of which no field must be there. */
const bare = ["uploads", "quota", "status", "tokens", "totp", "audit", "ping", "bye"];
/** Those that answer a challenge. */
const proofs = ["proof", "set-totp"];

type Outcome = "answered" | "protocol" | "unauthenticated" | "unsupported" | "failed";

/**
 * Returns the outcome of a request; after `protocol` the server has hung up, else it answers a
 * ping.
 */
async function outcome(peer: Peer, verb: string, ...pieces: readonly Piece[]): Promise<Outcome> {
  await peer.send(...pieces);
  let answer = await peer.answer();
  while (answer.more) answer = await peer.answer();
  const { kind } = (answer.error ?? {}) as { kind?: string };
  if (verb === "get-many" && answer.ok) {
    await peer.body();
    await peer.answer();
  }
  if (kind === "protocol" || (verb === "bye" && answer.ok)) await peer.gone();
  else await peer.ask({ verb: "ping" });
  if (answer.ok) return "answered";
  const own = kind === "protocol" || kind === "unauthenticated" || kind === "unsupported";
  return own ? kind : "failed";
}

/** Returns the outcome that the tables give a request with valid fields in a state. */
function due(state: string, verb: string): readonly Outcome[] {
  if (state === "new") return [verb === "hello" ? "answered" : "protocol"];
  if (proofs.includes(verb)) return [state === "challenged" ? "unauthenticated" : "protocol"];
  if (state === "logged in" || greeted.includes(verb)) return ["answered", "failed"];
  return ["unauthenticated"];
}

Deno.test("each verb in each state is answered as PROTOCOL.md says", async (t) => {
  assert.deepEqual(Object.keys(requests).sort(), [...verbs].sort(), "every verb is asked for");
  assert.deepEqual(allowed("new"), ["hello"]);
  assert.deepEqual(allowed("challenged"), proofs);
  await using here = await Here.start({});
  const enter = async (state: string): Promise<Peer> => {
    if (state === "new") return await Peer.connect(here.address);
    const peer = await Peer.open(here.address, state === "logged in" ? here.token : undefined);
    if (state === "challenged") await peer.ask({ verb: "auth", ...requests.auth });
    return peer;
  };
  for (const state of ["new", "greeted", "challenged", "logged in"]) {
    const known = state === "new" ? "protocol" : "unsupported";
    await t.step(`${state}: fields that fit`, async () => {
      for (const verb of verbs) {
        using peer = await enter(state);
        const body = verb === "put-many" ? [text("abc"), { sha256: null, whole: true }] : [];
        const became = await outcome(peer, verb, { verb, ...requests[verb] }, ...body);
        assert.ok(due(state, verb).includes(became), `${verb} when ${state}: ${became}`);
      }
    });
    await t.step(`${state}: fields that are missing`, async () => {
      for (const verb of verbs.filter((verb) => !bare.includes(verb))) {
        using peer = await enter(state);
        const early = due(state, verb).includes("unauthenticated") && !proofs.includes(verb);
        const became = await outcome(peer, verb, { verb });
        assert.equal(became, early ? "unauthenticated" : "protocol", `${verb} when ${state}`);
      }
    });
    await t.step(`${state}: a body where none belongs`, async () => {
      for (const verb of verbs.filter((verb) => !verb.startsWith("put"))) {
        using peer = await enter(state);
        const early = due(state, verb).includes("unauthenticated") && !proofs.includes(verb);
        const request = { verb, ...requests[verb], body: 3 };
        const became = await outcome(peer, verb, request, text("abc"), { sha256: null });
        assert.equal(became, early ? "unauthenticated" : "protocol", `${verb} when ${state}`);
      }
    });
    await t.step(`${state}: an unknown verb, and none`, async () => {
      using first = await enter(state);
      assert.equal(await outcome(first, "", { verb: "levitate", body: "x" }), "protocol");
      using second = await enter(state);
      assert.equal(await outcome(second, "", { verb: "levitate" }), known);
      using third = await enter(state);
      assert.equal(await outcome(third, "", { path: "/home" }), "protocol");
    });
  }
  await t.step("hello again changes nothing", async () => {
    using peer = await enter("logged in");
    const first = await peer.ask({ verb: "hello", version: 1 });
    assert.deepEqual(await peer.ask({ verb: "hello", version: 9 }), first);
    assert.equal(await peer.fail({ verb: "hello", version: 0 }), "unsupported");
    assert.equal((await peer.ask({ verb: "quota" })).account, "anna");
  });
  await t.step("a challenge is good for one proof, also across other requests", async () => {
    using peer = await enter("challenged");
    await peer.ask({ verb: "ping" });
    assert.equal(await peer.fail({ verb: "list", path: "/home" }), "unauthenticated");
    assert.equal(await peer.fail({ verb: "proof", proof }), "unauthenticated");
    assert.equal(await peer.fail({ verb: "proof", proof }), "protocol");
    await peer.gone();
  });
});
