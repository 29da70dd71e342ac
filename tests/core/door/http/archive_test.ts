/** Tests folders as zip and tar with common programs. */
import assert from "node:assert/strict";
import { setModified } from "../../../../core/session/set_modified.ts";
import { pattern, sha256 } from "../_peer.ts";
import { api, Web } from "./_web.ts";
import { installed } from "./dav/_tools.ts";

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

/** Unpacks an archive in another time zone than the server's, and checks the files. */
async function inside(
  archive: Uint8Array,
  command: string,
  args: (file: string) => string[],
  look: (dir: string) => Promise<void>,
) {
  const dir = await Deno.makeTempDir({ prefix: "barge-unpacked-" });
  try {
    await Deno.writeFile(`${dir}/archive`, archive);
    const { code, stderr } = await new Deno.Command(command, {
      args: args(`${dir}/archive`),
      cwd: dir,
      env: { TZ: "Asia/Kathmandu" },
    }).output();
    assert.equal(code, 0, new TextDecoder().decode(stderr));
    await look(dir);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

async function unpacked(archive: Uint8Array, command: string, args: (file: string) => string[]) {
  await inside(archive, command, args, async (dir) => {
    for (const [i, name] of names.entries()) {
      const bytes = await Deno.readFile(`${dir}/top/deep/er/${name}`);
      assert.equal(sha256(bytes), sha256(pattern(i * 150_000, i)), name);
    }
    assert.ok((await Deno.stat(`${dir}/top/empty`)).isDirectory);
  });
}

Deno.test("the program tar unpacks a tar", async () => {
  await using web = await Web.start();
  const anna = await filled(web);
  const answer = await anna.ask("GET", `${api}/files/home/top?archive=tar`);
  assert.equal(answer.headers.get("content-type"), "application/x-tar");
  assert.match(answer.headers.get("content-disposition")!, /^attachment; filename="top.tar"/);
  await unpacked(answer.bytes, "tar", (file) => ["xf", file]);
});

Deno.test("Python unpacks a zip, and finds it valid", async () => {
  await using web = await Web.start();
  const anna = await filled(web);
  const answer = await anna.ask("GET", `${api}/files/home/top?archive=zip`);
  assert.equal(answer.headers.get("content-type"), "application/zip");
  await unpacked(answer.bytes, "python3", (file) => ["-m", "zipfile", "-e", file, "."]);
});

Deno.test("an archive without an end mark is sent if a file can't be read to its end", async () => {
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

/** The program that unpacks each format. */
const formats: Record<string, [command: string, option: string]> = {
  tar: ["tar", "xf"],
  ...await installed("unzip") ? { zip: ["unzip", "-qo"] } : {},
};

Deno.test("files in an archive keep their times in every time zone", async () => {
  await using web = await Web.start();
  const anna = await web.user("anna");
  const times: Record<string, number> = {
    summer: Date.UTC(2026, 5, 1, 12, 0, 1),
    winter: Date.UTC(1999, 11, 31, 23, 59, 59),
    epoch: 0,
    old: Date.UTC(1969, 6, 20, 20, 17, 40),
    late: Date.UTC(2300, 0, 1),
  };
  for (const name of Object.keys(times)) await anna.ask("PUT", `${api}/files/home/${name}`, {}, "");
  for (const [name, time] of Object.entries(times)) {
    await setModified(web.session("anna"), `/home/${name}`, time);
  }
  for (const [format, [command, option]] of Object.entries(formats)) {
    const { bytes } = await anna.ask("GET", `${api}/files/home?archive=${format}`);
    await inside(bytes, command, (file) => [option, file], async (dir) => {
      for (const [name, time] of Object.entries(times)) {
        // unzip refuses a time before 1970, and the format has no time that late.
        if (format === "zip" && ["old", "late"].includes(name)) continue;
        const { mtime } = await Deno.stat(`${dir}/home/${name}`);
        assert.equal(mtime?.getTime(), time, `${format} ${name}`);
      }
    });
  }
});

Deno.test("a complete archive lists the files that were removed before they were read", async () => {
  await using web = await Web.start();
  const anna = await web.user("anna");
  const home = `${web.store.settings.data}/homes/anna`;
  for (const name of ["a", "b", "c", "d"]) {
    await anna.ask("PUT", `${api}/files/home/${name}`, {}, `this is ${name}`);
  }
  for (const [format, [command, option]] of Object.entries(formats)) {
    await Deno.truncate(`${home}/a`, 20_000_000); // more than the buffers of the sockets
    await Deno.writeTextFile(`${home}/c`, "this is c");
    await anna.begin("GET", `${api}/files/home?archive=${format}`);
    await anna.start();
    await Deno.remove(`${home}/c`);
    const { bytes } = await anna.answer();
    await inside(bytes, command, (file) => [option, file], async (dir) => {
      assert.equal(await Deno.readTextFile(`${dir}/home/d`), "this is d");
      assert.equal((await Deno.stat(`${dir}/home/a`)).size, 20_000_000);
      await assert.rejects(() => Deno.stat(`${dir}/home/c`));
      const missing = await Deno.readTextFile(`${dir}/home.missing.txt`);
      assert.match(missing, /^Not in this archive:\nhome\/c: removed/);
    });
  }
});

Deno.test("no name in a zip leads out of its folder, also on Windows, or adds a line", async () => {
  await using web = await Web.start();
  const anna = await web.user("anna");
  const odd = ["..\\..\\up", "C:\\drive", "D:stream", "10:30", "line\nbreak"];
  await anna.json("POST", `${api}/mkdir`, { path: "/home/C:top" });
  for (const name of odd) {
    const path = `/home/C:top/${name}`.split("/").map(encodeURIComponent).join("/");
    assert.equal((await anna.ask("PUT", `${api}/files${path}`, {}, pattern(9))).status, 201);
  }
  const { bytes } = await anna.ask("GET", `${api}/files/home/C:top?archive=zip`);
  const list =
    "import json, sys, zipfile; print(json.dumps(zipfile.ZipFile(sys.argv[1]).namelist()))";
  const file = await Deno.makeTempFile({ prefix: "barge-zip-" });
  try {
    await Deno.writeFile(file, bytes);
    const { stdout } = await new Deno.Command("python3", { args: ["-c", list, file] }).output();
    assert.deepEqual(JSON.parse(new TextDecoder().decode(stdout)).sort(), [
      "C%3Atop/",
      "C%3Atop/..%5C..%5Cup",
      "C%3Atop/10:30",
      "C%3Atop/C%3A%5Cdrive",
      "C%3Atop/D%3Astream",
      "C%3Atop/line\nbreak",
    ]);
  } finally {
    await Deno.remove(file);
  }
});
