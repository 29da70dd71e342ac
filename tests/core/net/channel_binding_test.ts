import assert from "node:assert/strict";
import fc from "fast-check";
import { X509Certificate } from "node:crypto";
import { bindingOf, bindingsOf } from "../../../core/net/channel_binding.ts";

interface Vector {
  signature: string;
  certificate: string;
  binding: string;
}

/** Certificates that OpenSSL made, and digests that Python computed. */
const vectors: Vector[] = JSON.parse(
  Deno.readTextFileSync(new URL("../../../fixtures/bindings.json", import.meta.url)),
);

for (const { signature, certificate, binding } of vectors) {
  Deno.test(`the binding to a certificate signed with ${signature}`, () => {
    const der = Uint8Array.fromBase64(certificate);
    assert.equal(bindingOf(der), binding);
    assert.deepEqual(bindingsOf(new X509Certificate(der).toString()), [binding]);
  });
}

Deno.test("each certificate of a file has its binding", () => {
  const pem = vectors.map(({ certificate }) =>
    new X509Certificate(Uint8Array.fromBase64(certificate)).toString()
  );
  assert.deepEqual(bindingsOf(pem.join("\n")), vectors.map(({ binding }) => binding));
  assert.deepEqual(bindingsOf("nothing"), []);
});

Deno.test("a truncated or changed certificate has another binding, or none", () => {
  const certificates = vectors.map(({ certificate }) => Uint8Array.fromBase64(certificate));
  fc.assert(fc.property(
    fc.constantFrom(...certificates),
    fc.nat(),
    fc.integer({ min: 1, max: 255 }),
    fc.boolean(),
    (der, place, flip, cut) => {
      const at = place % der.length;
      const other = cut ? der.slice(0, at) : der.slice();
      if (!cut) other[at] ^= flip;
      try {
        return bindingOf(other) !== bindingOf(der);
      } catch (error) {
        return error instanceof RangeError;
      }
    },
  ));
});
