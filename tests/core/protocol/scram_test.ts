import assert from "node:assert/strict";
import fc from "fast-check";
import { scryptSync } from "node:crypto";
import { BargeError } from "../../../core/error.ts";
import {
  acceptableCosts,
  costs,
  type Exchange,
  hasOwnCosts,
  nonce,
  prove,
  tokenCosts,
} from "../../../core/protocol/scram.ts";
import { makeVerifier, matches, verify } from "../../../core/protocol/verifier.ts";

interface Vector extends Exchange {
  secret: string;
  storedKey: string;
  serverKey: string;
  proof: string;
  signature: string;
}

/** Computed with Python's hashlib and hmac, from PROTOCOL.md. */
const vectors: Vector[] = JSON.parse(
  Deno.readTextFileSync(new URL("../../../fixtures/login.json", import.meta.url)),
);

function exchange(verifier: { salt: string; n: number; r: number; p: number }): Exchange {
  const { salt, n, r, p } = verifier;
  const nonces = { clientNonce: nonce(), serverNonce: nonce() };
  return { mechanism: "password", account: "alice", ...nonces, salt, n, r, p };
}

/** Shared by most tests, since scrypt is slow. */
const verifier = await makeVerifier("password", "correct horse");
const known = exchange(verifier);
const good = await prove("correct horse", known);

for (const vector of vectors) {
  const { mechanism, secret, proof, signature } = vector;
  Deno.test(`login vector: ${mechanism} ${JSON.stringify(secret)}`, async () => {
    assert.deepEqual(await prove(secret, vector), { proof, signature });
    assert.equal(verify(proof, vector, vector), signature);
    const kept = mechanism === "token" || hasOwnCosts(vector);
    assert.equal(await matches(mechanism, secret, vector), kept);
  });
}

Deno.test("scrypt matches the vector of RFC 7914, section 12, with N 16384", () => {
  // prove() does not return scrypt's result, so this checks the runtime's scrypt and the order of its
  // arguments. The login vectors check the rest.
  const key = scryptSync("pleaseletmein", "SodiumChloride", 64, {
    N: 16384,
    r: 8,
    p: 1,
    maxmem: 64 * 1024 * 1024,
  });
  assert.equal(
    key.toString("hex"),
    "7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2" +
      "d5432955613f0fcf62d49705242a9af9e61e85dc0d651e40dfcf017b45575887",
  );
});

Deno.test("both sides agree on a login", () => {
  assert.equal(verify(good.proof, verifier, known), good.signature);
});

Deno.test("a wrong password's proof is refused", async () => {
  const { proof, signature } = await prove("correct horsf", known);
  assert.equal(verify(proof, verifier, known), undefined);
  assert.notEqual(signature, good.signature);
  assert.equal(await matches("password", "correct horsf", verifier), false);
});

Deno.test("a change of any field of the exchange invalidates the proof", () => {
  const changes: Partial<Exchange>[] = [
    { mechanism: "token" },
    { account: "Alice" },
    { clientNonce: nonce() },
    { serverNonce: nonce() },
    { salt: nonce(16) },
    { n: 65536 },
    { r: 9 },
    { p: 2 },
  ];
  for (const change of changes) {
    const tampered = { ...known, ...change };
    assert.equal(verify(good.proof, verifier, tampered), undefined, JSON.stringify(change));
  }
});

Deno.test("no other text is accepted as a proof, of any length", () => {
  const right = Uint8Array.fromBase64(good.proof);
  const other = fc.oneof(
    fc.string(),
    fc.uint8Array({ maxLength: 80 }).map((b) => new Uint8Array(b).toBase64()),
    fc.tuple(fc.nat(31), fc.integer({ min: 1, max: 255 })).map(([at, flip]) => {
      const copy = right.slice();
      copy[at] ^= flip;
      return copy.toBase64();
    }),
  );
  fc.assert(fc.property(other, (proof) => verify(proof, verifier, known) === undefined));
});

Deno.test("the server's record is not enough to log in", async () => {
  for (const kept of [verifier.storedKey, verifier.serverKey]) {
    const { proof } = await prove(kept, known);
    assert.equal(verify(proof, verifier, known), undefined);
    assert.equal(verify(kept, verifier, known), undefined);
  }
});

Deno.test("a password may be typed composed or decomposed", async () => {
  const { proof } = await prove("cafe\u0301", known);
  assert.equal((await prove("caf\u00e9", known)).proof, proof);
});

Deno.test("a token logs in without stretching", async () => {
  const secret = nonce(32);
  const v = await makeVerifier("token", secret);
  const e: Exchange = { ...exchange(v), mechanism: "token", account: "7" };
  assert.deepEqual({ n: v.n, r: v.r, p: v.p }, tokenCosts);
  const { proof, signature } = await prove(secret, e);
  assert.equal(verify(proof, v, e), signature);
  assert.equal(verify((await prove(nonce(32), e)).proof, v, e), undefined);
  assert.ok(await matches("token", secret, v));
});

Deno.test("two verifiers of one password differ in all fields", async () => {
  const other = await makeVerifier("password", "correct horse");
  assert.notEqual(other.salt, verifier.salt);
  assert.notEqual(other.storedKey, verifier.storedKey);
  assert.notEqual(other.serverKey, verifier.serverKey);
  assert.ok(await matches("password", "correct horse", other));
});

Deno.test("a client refuses costs that are too low or too high", async () => {
  assert.ok(acceptableCosts(costs));
  assert.ok(acceptableCosts({ n: 16384, r: 32, p: 1 }));
  for (
    const change of [
      { n: 1 },
      { n: 8192 },
      { n: 40000 },
      { n: 2 ** 32 },
      { n: NaN },
      { n: Infinity },
      { r: 7 },
      { r: 17 },
      { n: 65536, r: 9 },
      { n: 262144 },
      { r: 8.5 },
      { p: 0 },
      { p: 2 },
    ]
  ) {
    await assert.rejects(
      prove("x", { ...known, ...change }),
      (e) => e instanceof BargeError && e.kind === "refused",
      JSON.stringify(change),
    );
  }
});

Deno.test("an empty password is refused", async () => {
  await assert.rejects(
    makeVerifier("password", ""),
    (e) => e instanceof BargeError && e.kind === "usage",
  );
});

Deno.test("a stored key of a wrong length matches nothing, without an exception", async () => {
  const broken = { ...verifier, storedKey: "AAAA" };
  assert.equal(verify(good.proof, broken, known), undefined);
  assert.equal(await matches("password", "correct horse", broken), false);
});
