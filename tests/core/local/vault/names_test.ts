import assert from "node:assert/strict";
import { copyTree } from "../../../../core/session/copy.ts";
import { list } from "../../../../core/session/list.ts";
import { mkdir } from "../../../../core/session/mkdir.ts";
import { move } from "../../../../core/session/move.ts";
import { remove } from "../../../../core/session/remove.ts";
import { stat } from "../../../../core/session/stat.ts";
import { fails, read, Setup, sha256, write } from "../../_setup.ts";

const odd = [
  ...["a b", `"quoted"`, "it's", "new\nline", "-rf", "…", "🚢", "\x7f", "tab\t", "\\", "$(x)"],
  ...["%00", "x".repeat(255), "é".repeat(127), "\u202ertl", "nfc-é", "nfd-e\u0301", "\ufffd"],
];

Deno.test("odd names are written, listed, read, moved and removed like any other", async () => {
  using setup = new Setup();
  const anna = setup.user("anna");
  for (const name of odd) {
    assert.equal(await mkdir(anna, { verb: "mkdir", path: `/home/${name}`, parents: false }), true);
    await write(anna, `/home/${name}/${name}`, name);
  }
  const names: string[] = [];
  for await (const batch of list(anna, "/home", true)) names.push(...batch.map((e) => e.name));
  assert.deepEqual(names, odd.toSorted().flatMap((name) => [name, `${name}/${name}`]));
  for (const name of odd) {
    const path = `/home/${name}/${name}`;
    assert.equal((await stat(anna, path)).entry?.sha256, sha256(name));
    await move(anna, path, `/public/${name}`, "never");
    assert.equal((await read(anna, `/public/${name}`)).text, name);
    assert.equal(await remove(anna, `/public/${name}`, false), 1);
    await remove(anna, `/home/${name}`, false);
  }
  setup.check();
  assert.equal(setup.account("anna").used, 0);
});

Deno.test("a folder's name is no pattern: the rows of its neighbors stay as they are", async () => {
  using setup = new Setup();
  const anna = setup.user("anna");
  for (const name of ["d", "d0", "d.", "d ", "d%", "D", "d_", "dd"]) {
    await mkdir(anna, { verb: "mkdir", path: `/home/${name}/sub`, parents: true });
    await write(anna, `/home/${name}/sub/f`, name);
  }
  await move(anna, "/home/d", "/home/e", "never");
  assert.equal((await stat(anna, "/home/e/sub/f")).entry?.sha256, sha256("d"));
  await remove(anna, "/home/e", true);
  setup.check();
  for (const name of ["d0", "d.", "d ", "d%", "D", "d_", "dd"]) {
    assert.equal((await stat(anna, `/home/${name}/sub/f`)).entry?.sha256, sha256(name));
  }
});

Deno.test("names on disk that are not UTF-8 are left out, and keep a folder from being removed", async () => {
  using setup = new Setup();
  const anna = setup.user("anna");
  const folder = setup.disk("/home/d");
  Deno.mkdirSync(folder);
  const touch = `printf x > "$(printf 'bad\\377')"; printf x > "$(printf 'bad\\376')"`;
  const { success } = await new Deno.Command("sh", { args: ["-c", touch], cwd: folder }).output();
  assert(success);
  await write(anna, "/home/d/bad\ufffd", "a real one");
  const names: string[] = [];
  for await (const batch of list(anna, "/home", true)) names.push(...batch.map((e) => e.name));
  assert.deepEqual(names, ["d", "d/bad\ufffd"]);
  await remove(anna, "/home/d/bad\ufffd", false);
  await fails("exists", () => remove(anna, "/home/d", false), /not empty/);
  await fails("not-found", () => stat(anna, "/home/d/bad\ufffd"));
  await fails("refused", () => remove(anna, "/home/d", true), /bad\ufffd in it is not valid UTF-8/);
  await fails("refused", () => copyTree(anna, "/home/d", "/home/e", "never"));
  assert(!setup.exists("/home/e"));
  assert.equal(Array.from(Deno.readDirSync(folder)).length, 2);
});

Deno.test("a file in the place of a folder is refused with its own error", async () => {
  using setup = new Setup();
  const anna = setup.user("anna");
  await write(anna, "/home/f", "f");
  await write(anna, "/home/g", "g");
  for (const path of ["/home/f/x", "/home/f/x/y"]) {
    await fails("no-directory", () => write(anna, path, "x"));
    await fails("no-directory", () => mkdir(anna, { verb: "mkdir", path, parents: true }));
    await fails("not-found", () => stat(anna, path));
    await fails("not-found", () => read(anna, path));
    await fails("not-found", () => remove(anna, path, true));
    await fails("no-directory", () => move(anna, "/home/g", path, "never"));
  }
  await fails("exists", () => mkdir(anna, { verb: "mkdir", path: "/home/f", parents: true }));
  assert.deepEqual(setup.store.reservations.uploads(), []);
});

Deno.test("new files and folders are readable by the server's user alone", async () => {
  using setup = new Setup();
  const anna = setup.user("anna");
  await mkdir(anna, { verb: "mkdir", path: "/public/d/e", parents: true });
  await write(anna, "/public/d/e/f", "f");
  const mode = (path: string) => Deno.statSync(setup.disk(path)).mode! & 0o777;
  assert.deepEqual(
    ["/public", "/home", "/public/d", "/public/d/e"].map(mode),
    Array(4).fill(0o700),
  );
  assert.equal(mode("/public/d/e/f"), 0o600);
});

Deno.test("a path of almost 3,000 bytes works like any other", async () => {
  using setup = new Setup();
  const anna = setup.user("anna");
  const part = `/${"a".repeat(248)}`;
  const path = `/home${part.repeat(11)}`;
  await mkdir(anna, { verb: "mkdir", path, parents: true });
  await write(anna, `${path}/${"f".repeat(255)}`, "deep");
  assert.equal((await read(anna, `${path}/${"f".repeat(255)}`)).text, "deep");
  let last = "";
  for await (const batch of list(anna, "/home", true)) last = batch.at(-1)!.name;
  assert.equal(`/home/${last}`, `${path}/${"f".repeat(255)}`);
  await remove(anna, `/home${part}`, true);
  assert.deepEqual([setup.account("anna").used, setup.staged()], [0, []]);
});
