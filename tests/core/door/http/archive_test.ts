/** Folders as zip and tar, read by the tools that people have. */
import assert from "node:assert/strict";
import { pattern, sha256 } from "../_peer.ts";
import { api, Web } from "./_web.ts";

const names = ["plain", "with space, ümläut & 漢字", "n".repeat(200), "-dash"];

async function filled(web: Web) {
  const anna = await web.user("anna");
  await anna.json("POST", `${api}/mkdir`, { path: "/home/top/deep/er", parents: true });
  await anna.json("POST", `${api}/mkdir`, { path: "/home/top/empty" });
  for (const [i, name] of names.entries()) {
    const path = `/home/top/deep/er/${encodeURIComponent(name)}`;
    const put = await anna.ask("PUT", `${api}/files${path}`, {}, pattern(i * 150_000, i));
    assert.equal(put.status, 201);
  }
  return anna;
}

async function unpacked(archive: Uint8Array, command: string, args: (file: string) => string[]) {
  const dir = await Deno.makeTempDir({ prefix: "barge-unpacked-" });
  try {
    await Deno.writeFile(`${dir}/archive`, archive);
    const { code, stderr } = await new Deno.Command(command, {
      args: args(`${dir}/archive`),
      cwd: dir,
    }).output();
    assert.equal(code, 0, new TextDecoder().decode(stderr));
    for (const [i, name] of names.entries()) {
      const bytes = await Deno.readFile(`${dir}/top/deep/er/${name}`);
      assert.equal(sha256(bytes), sha256(pattern(i * 150_000, i)), name);
    }
    assert.ok((await Deno.stat(`${dir}/top/empty`)).isDirectory);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

Deno.test("tar unpacks a tar", async () => {
  await using web = await Web.start();
  const anna = await filled(web);
  const answer = await anna.ask("GET", `${api}/files/home/top?archive=tar`);
  assert.equal(answer.headers.get("content-type"), "application/x-tar");
  assert.match(answer.headers.get("content-disposition")!, /^attachment; filename="top.tar"/);
  await unpacked(answer.bytes, "tar", (file) => ["xf", file]);
});

Deno.test("Python unpacks a zip, and finds nothing wrong with it", async () => {
  await using web = await Web.start();
  const anna = await filled(web);
  const answer = await anna.ask("GET", `${api}/files/home/top?archive=zip`);
  assert.equal(answer.headers.get("content-type"), "application/zip");
  await unpacked(answer.bytes, "python3", (file) => ["-m", "zipfile", "-e", file, "."]);
});

Deno.test("what can't be read ends an archive early, and visibly", async () => {
  await using web = await Web.start();
  const anna = await web.user("anna");
  await anna.ask("PUT", `${api}/files/home/f`, {}, "more than any socket buffers:");
  const file = `${web.store.settings.data}/homes/anna/f`;
  await Deno.truncate(file, 200_000_000);
  await anna.begin("GET", `${api}/files/home?archive=tar`);
  await anna.take(20_000);
  await Deno.truncate(file, 100_000);
  const rest = await anna.end();
  assert.ok(!rest.endsWith("0\r\n\r\n"), "the last chunk never came");
});
