/** Tests names with control characters, also those that no line can hold. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import fc from "fast-check";
import { inLine, intendedPath } from "../../../../core/door/ftp/name.ts";
import { factsLine, longLine } from "../../../../core/door/ftp/listing.ts";
import { encodeReply } from "../../../../core/door/ftp/reply.ts";
import { list } from "../../../../core/session/list.ts";
import { mkdir } from "../../../../core/session/mkdir.ts";
import { receive } from "../../../../core/upload/receive.ts";
import { Client } from "./_client.ts";
import { Here } from "./_here.ts";

/** Characters with a meaning in FTP or in paths, and some without. */
const letters = [
  ..."\t\x01\x07\b\v\f\x1b\x7f\u0085\u009b\u00a0\u2028\u2029\ufeff",
  ..."\r\n␍␊␀?*[]-\"' ;=%\\ab.é漢😀",
];
const names = fc.array(fc.constantFrom(...letters), { minLength: 1, maxLength: 8 })
  .map((parts) => parts.join("")).filter((name) => name !== "." && name !== "..");
/** Any UTF-16 text, also with lone surrogates. */
const texts = fc.array(fc.oneof(fc.constantFrom(...letters, "\0", "\ud800"), fc.string()), {
  maxLength: 8,
}).map((parts) => parts.join(""));

Deno.test("no text in a reply or listing ends its line", () => {
  fc.assert(
    fc.property(texts, texts, fc.array(texts, { maxLength: 3 }), (a, b, lines) => {
      const one = Buffer.from(encodeReply({ code: 257, text: a })).toString();
      assert.match(one, /^257 [^\r\n\0]*\r\n$/);
      const many = Buffer.from(encodeReply({ code: 211, text: a, lines, last: b })).toString();
      const got = many.split("\r\n");
      assert.equal(got.length, lines.length + 3);
      for (const line of got.slice(0, -1)) assert.match(line, /^(211[- ]| )[^\r\n\0]*$/);
      const modified = "2020-01-01T00:00:00.000Z";
      const entry = { name: a, type: "file" as const, size: 1, modified, owner: b, sha256: null };
      for (
        const line of [longLine({ ...entry, owner: null }, 0), factsLine(entry, new Set(), "")]
      ) {
        assert.doesNotMatch(line, /[\r\n\0]/);
      }
    }),
    { numRuns: 300 },
  );
});

Deno.test("a listed name is found again, whatever other names exist", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(names, { minLength: 1, maxLength: 5 }), async (made) => {
      const paths = new Set(made.map((name) => `/home/${name}`));
      for (const name of made) {
        const path = await intendedPath(
          `/home/${inLine(name)}`,
          (path) => Promise.resolve(path === "/home" || paths.has(path)),
        );
        assert.ok(paths.has(path));
        assert.equal(inLine(path), `/home/${inLine(name)}`);
        if (!/[\r\n]/.test(name)) assert.equal(path, `/home/${name}`);
      }
    }),
    { numRuns: 500 },
  );
});

Deno.test("files whose names have control characters can be listed, read, renamed and removed", async () => {
  await using here = await Here.start();
  using client = await Client.anna(here);
  const session = here.session();
  await client.ask("CWD /home", 250);
  const controls = Array.from({ length: 0xa0 }, (_, code) => String.fromCharCode(code))
    .filter((letter) => !/[\0\r\n -~]/.test(letter));
  const made = ["a\tb", "a?b", "\u2028", ...controls, ...controls.map((letter) => `x${letter}y`)];
  const path = "/home/d\te\x1bf";
  await client.ask("MKD d\te\x1bf", 257);
  assert.ok((await client.ask("CWD d\te\x1bf", 250)).includes(`"${path}"`));
  assert.ok((await client.ask("PWD", 257)).startsWith(`257 "${path}" `));
  for (const name of made) await client.put(`STOR ${name}`, name);
  const stored = new Set<string>();
  for await (const batch of list(session, path, false)) {
    for (const { name } of batch) stored.add(name);
  }
  assert.deepEqual(stored, new Set(made));
  assert.deepEqual(new Set(await client.lines("NLST")), stored);
  const long = (lines: readonly string[]) =>
    new Set(lines.map((line) => /^.{10} +\d+ \S+ +\S+ +\d+ \w+ +\d+ \S+ ([^]*)$/.exec(line)![1]));
  assert.deepEqual(long(await client.lines("LIST")), stored);
  const facts = await client.lines("MLSD");
  assert.deepEqual(new Set(facts.map((line) => line.slice(line.indexOf("; ") + 2))), stored);
  const told = (await client.ask(`STAT ${path}`, 213)).split("\n").slice(1, -1);
  assert.deepEqual(long(told.map((line) => line.slice(1))), stored);
  for (const name of made) {
    assert.equal((await client.get(`RETR ${name}`)).toString(), name);
    const size = new TextEncoder().encode(name).length;
    assert.equal(await client.ask(`SIZE ${name}`, 213), `213 ${size}`);
    assert.ok((await client.ask(`MLST ${name}`, 250)).includes(`; ${path}/${name}\n`));
    assert.ok((await client.ask(`HASH ${name}`, 213)).endsWith(` ${name}`));
    const time = await client.ask(`MFMT 20200102030405 ${name}`, 213);
    assert.equal(time, `213 Modify=20200102030405; ${path}/${name}`);
    await client.ask(`RNFR ${name}`, 350);
    await client.ask(`RNTO ${name}2`, 250);
    await client.ask(`DELE ${name}2`, 250);
    assert.ok((await client.ask(`DELE ${name}`, 550)).startsWith(`550 ${path}/${name}: No such`));
  }
  await client.ask("CDUP", 250);
  await client.ask("RMD d\te\x1bf", 250);
});

Deno.test("a file whose name has CR or LF is found by the name that is listed", async () => {
  await using here = await Here.start();
  using client = await Client.anna(here);
  const session = here.session();
  const make = async (path: string, text: string) => {
    const bytes = new TextEncoder().encode(text);
    const request = { path, size: null, modified: null, overwrite: "always" as const };
    const upload = await receive(session, request);
    await upload.write(bytes);
    await upload.commit(null, true);
  };
  const made = ["a\nb", "a\r\n550 no", "\n", "\r", "c\n␊d", "␍", "many" + "\n".repeat(20)];
  for (const folder of ["/home/f\ng", "/home/f\ng/h"]) {
    await mkdir(session, { verb: "mkdir", path: folder, parents: false });
    for (const name of made) await make(`${folder}/${name}`, name);
  }
  assert.deepEqual(await client.lines("NLST /home"), ["f␊g"]);
  await client.ask("CWD /home/f␊g/h", 250);
  assert.match(await client.ask("PWD", 257), /^257 "\/home\/f␊g\/h" /);
  const listed = await client.lines("NLST");
  // Of two names that are listed the same, the path means the one of exactly that name.
  const seen = made.filter((name) => name !== "\r");
  assert.deepEqual(new Set(listed), new Set(made.map(inLine)));
  assert.deepEqual(await client.lines("NLST a␊*"), ["a␊b"]);
  for (const name of seen) {
    const written = inLine(name);
    assert.equal((await client.get(`RETR ${written}`)).toString(), name);
    assert.ok((await client.ask(`MLST ${written}`, 250)).includes(`/home/f␊g/h/${written}\n`));
    await client.put(`STOR ${written}`, "other");
    assert.equal(Deno.readTextFileSync(here.disk(`f\ng/h/${name}`)), "other");
    await client.ask(`RNFR ${written}`, 350);
    await client.ask("RNTO plain", 250);
    await client.ask("DELE plain", 250);
    if (name === "␍") assert.equal((await client.get("RETR ␍")).toString(), "\r");
  }
  await client.ask("DELE ␍", 250);
  await client.ask("CDUP", 250);
  await client.ask("RMD h", 250);
  // No line can contain such a name.
  await client.ask("STOR x\ry", 501);
  await client.wire.send("STOR x\r\0y\r\n");
  await client.expect(501);
  await client.put("STOR x␊y", "as it is");
  assert.equal(Deno.readTextFileSync(here.disk("f\ng/x␊y")), "as it is");
});
