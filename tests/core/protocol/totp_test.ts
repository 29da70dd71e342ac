/** Codes as RFC 6238 has them in its appendix B, and recovery codes. */
import assert from "node:assert/strict";
import {
  codeAt,
  isSecret,
  isTimeCode,
  newRecoveryCodes,
  newSecret,
  plainCode,
  stepMs,
  stepOfCode,
} from "../../../core/protocol/totp.ts";

const secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"; // "12345678901234567890"

Deno.test("codes are those of RFC 6238, cut to six digits", () => {
  const codes: readonly [seconds: number, code: string][] = [
    [59, "94287082"],
    [1111111109, "07081804"],
    [1111111111, "14050471"],
    [1234567890, "89005924"],
    [2000000000, "69279037"],
    [20000000000, "65353130"],
  ];
  for (const [seconds, code] of codes) {
    assert.equal(codeAt(secret, seconds * 1000), code.slice(2));
    assert.equal(stepOfCode(secret, code.slice(2), seconds * 1000), Math.floor(seconds / 30));
  }
});

Deno.test("a code is accepted one step before and after its own, and no further", () => {
  const code = codeAt(secret, 100 * stepMs);
  for (const step of [99, 100, 101]) {
    assert.equal(stepOfCode(secret, code, step * stepMs), 100);
    assert.equal(stepOfCode(secret, code, (step + 1) * stepMs - 1), 100);
  }
  for (const step of [98, 102]) assert.equal(stepOfCode(secret, code, step * stepMs), undefined);
  for (const wrong of ["", "12345", "1234567", "12345a", "１２３４５６"]) {
    assert.equal(stepOfCode(secret, wrong, 100 * stepMs), undefined, wrong);
  }
});

Deno.test("secrets and recovery codes are random, and codes are read as people type them", () => {
  const secrets = new Set(Array.from({ length: 50 }, newSecret));
  assert.equal(secrets.size, 50);
  for (const own of secrets) assert.ok(isSecret(own) && own.length === 32);
  for (const bad of ["", "A".repeat(25), "A".repeat(104), "a".repeat(32), `${"A".repeat(31)}1`]) {
    assert.ok(!isSecret(bad), bad);
  }
  const codes = newRecoveryCodes();
  assert.equal(new Set(codes).size, 10);
  for (const code of codes) {
    assert.match(code, /^([2-9a-km-np-z]{4}-){3}[2-9a-km-np-z]{4}$/);
    assert.ok(!isTimeCode(plainCode(code)));
  }
  assert.ok(isTimeCode(plainCode(" 123-456 ")));
});
