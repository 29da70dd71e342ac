import assert from "node:assert/strict";
import { BargeError } from "../../../core/error.ts";
import { loadCertificate } from "../../../core/net/certificate.ts";
import { ownCertificate, ownFiles, readOwnCertificate } from "../../../core/net/own_certificate.ts";
import { pairFor } from "./_tls.ts";

class Folder implements Disposable {
  readonly path = Deno.makeTempDirSync({ prefix: "barge-cert-" });
  put(name: string, text: string): string {
    Deno.writeTextFileSync(`${this.path}/${name}`, text);
    return `${this.path}/${name}`;
  }
  [Symbol.dispose](): void {
    Deno.removeSync(this.path, { recursive: true });
  }
}

Deno.test("of several servers that start at once, one makes the certificate and all use it", async () => {
  using folder = new Folder();
  const all = await Promise.all(
    Array.from({ length: 4 }, () => ownCertificate(folder.path, ["files.example"])),
  );
  assert.equal(new Set(all.map(({ fingerprint }) => fingerprint)).size, 1);
  assert.deepEqual(Array.from(Deno.readDirSync(folder.path), ({ name }) => name), ["tls"]);
  assert.equal(Deno.statSync(`${folder.path}/tls`).mode! & 0o777, 0o700);
  for (const path of Object.values(ownFiles(folder.path))) {
    assert.equal(Deno.statSync(path).mode! & 0o777, 0o600, path);
  }
  const [{ names, from, until }] = all;
  for (const name of ["files.example", "localhost", "127.0.0.1", "::1", Deno.hostname()]) {
    assert.ok(names.includes(name), `${name} in ${names}`);
  }
  assert.equal(Math.round((until.getTime() - from.getTime()) / 864e5), 3650);
});

Deno.test("a certificate without its key is not replaced", async () => {
  using folder = new Folder();
  await ownCertificate(folder.path, ["127.0.0.1"]);
  Deno.removeSync(ownFiles(folder.path).key);
  await rejects(ownCertificate(folder.path, ["127.0.0.1"]), /key\.pem: .*no such file/i);
  assert.ok(Deno.statSync(ownFiles(folder.path).cert).isFile);
});

Deno.test("a data directory without a certificate has none to read", async () => {
  using folder = new Folder();
  assert.equal(await readOwnCertificate(folder.path), undefined);
});

Deno.test("a certificate that can't be used is refused when it is loaded", async (t) => {
  using folder = new Folder();
  const [one, two] = [await pairFor(), await pairFor()];
  const cert = folder.put("cert.pem", one.cert);
  const key = folder.put("key.pem", one.key);
  const at = (time: string) => new Date(time);
  await t.step("it can", async () => {
    const { fingerprint } = await loadCertificate({ cert, key });
    assert.equal(fingerprint, one.mark);
  });
  await t.step("the key of another certificate", async () => {
    const other = folder.put("other.pem", two.key);
    await rejects(loadCertificate({ cert, key: other }), /other\.pem: it is not the key of/);
  });
  await t.step("not PEM", async () => {
    const junk = folder.put("junk.pem", "hello");
    await rejects(loadCertificate({ cert: junk, key }), /junk\.pem: it holds no certificate/);
    await rejects(loadCertificate({ cert, key: junk }), /junk\.pem: it holds no private key/);
  });
  await t.step("no file", async () => {
    await rejects(loadCertificate({ cert: `${cert}x`, key }), /read .*cert\.pemx: no such file/i);
  });
  await t.step("its time is over, or has not come", async () => {
    const files = { cert, key };
    await rejects(loadCertificate(files, at("2050-01-01")), /the certificate expired on 20\d\d-/);
    await rejects(
      loadCertificate(files, at("2020-01-01")),
      /the certificate is not valid before 20\d\d-/,
    );
  });
});

async function rejects(promise: Promise<unknown>, text: RegExp): Promise<void> {
  await assert.rejects(promise, (error) => {
    assert.ok(error instanceof BargeError, String(error));
    assert.equal(error.kind, "fatal");
    assert.match(error.toString(), text);
    return true;
  });
}
