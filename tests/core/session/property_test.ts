/** Dead properties follow their file or folder, and are bounded. */
import assert from "node:assert/strict";
import { propertyBounds as bounds } from "../../../core/storage/bounds.ts";
import { BargeError } from "../../../core/error.ts";
import { copy } from "../../../core/session/copy.ts";
import { copyTree } from "../../../core/session/copy.ts";
import { mkdir } from "../../../core/session/mkdir.ts";
import { move } from "../../../core/session/move.ts";
import { anyPropertiesIn, changeProperties, propertiesOf } from "../../../core/session/property.ts";
import { remove } from "../../../core/session/remove.ts";
import type { Session } from "../../../core/login/session.ts";
import { stat } from "../../../core/session/stat.ts";
import { fails, Setup, write } from "../_setup.ts";

const any = () => {};
const property = (local: string, xml = `<${local} xmlns="u:"/>`) => ({ space: "u:", local, xml });
const set = (session: Session, path: string, ...names: string[]) =>
  changeProperties(session, path, names.map((name) => property(name)), any);
const names = async (session: Session, path: string) =>
  (await propertiesOf(session, path)).map(({ local }) => local).join();

async function tree(session: Session): Promise<void> {
  await mkdir(session, { verb: "mkdir", path: "/home/d/e", parents: true });
  await write(session, "/home/d/e/a", "a");
  await set(session, "/home/d", "folder");
  await set(session, "/home/d/e/a", "file");
}

Deno.test("properties are set, replaced and removed in their order, and outlive new bytes", async () => {
  using setup = new Setup();
  const anna = setup.user("anna");
  await write(anna, "/home/a", "a");
  const [x, y] = [property("x"), property("y")];
  const found = async () => (await propertiesOf(anna, "/home/a")).map((each) => ({ ...each }));
  await changeProperties(anna, "/home/a", [x, y, { space: "u:", local: "x" }], any);
  assert.deepEqual(await found(), [y]);
  const other = property("y", '<y xmlns="u:">2</y>');
  await changeProperties(anna, "/home/a", [{ space: "u:", local: "none" }, other], any);
  assert.deepEqual(await found(), [other]);
  await write(anna, "/home/a", "b");
  assert.deepEqual(await found(), [other]);
});

Deno.test("properties follow the move of a file or folder", async () => {
  using setup = new Setup();
  const anna = setup.user("anna");
  await tree(anna);
  assert.equal(await anyPropertiesIn(anna, "/home/d/e"), true);
  await move(anna, "/home/d", "/home/f", "never");
  assert.deepEqual([await names(anna, "/home/f"), await names(anna, "/home/f/e/a")], [
    "folder",
    "file",
  ]);
  assert.deepEqual([await names(anna, "/home/d"), await names(anna, "/home/d/e/a")], ["", ""]);
  await write(anna, "/home/b", "b");
  await set(anna, "/home/b", "old");
  await move(anna, "/home/f/e/a", "/home/b", "always");
  assert.equal(await names(anna, "/home/b"), "file");
});

Deno.test("a copy has exactly the properties of its source", async () => {
  using setup = new Setup();
  const anna = setup.user("anna");
  await tree(anna);
  await write(anna, "/home/b", "b");
  await set(anna, "/home/b", "old");
  await copy(anna, "/home/d/e/a", "/home/b", "always");
  assert.equal(await names(anna, "/home/b"), "file");
  await copyTree(anna, "/home/d", "/home/f", "never");
  assert.deepEqual([await names(anna, "/home/f"), await names(anna, "/home/f/e/a")], [
    "folder",
    "file",
  ]);
  assert.equal(await names(anna, "/home/d/e/a"), "file");
});

Deno.test("properties are removed with their entry", async () => {
  using setup = new Setup();
  const anna = setup.user("anna");
  await tree(anna);
  await remove(anna, "/home/d", true);
  assert.deepEqual(setup.store.db.all("SELECT * FROM property"), []);
});

Deno.test("an account that may not replace a file can't set its properties", async () => {
  using setup = new Setup();
  const [anna, bob] = [setup.user("anna"), setup.user("bob")];
  await write(anna, "/public/a", "a");
  await fails("denied", () => set(bob, "/public/a", "x"), /belongs to anna/);
  await fails("not-found", () => set(anna, "/public/b", "x"));
  await fails("exists", () => set(anna, "/public", "x"));
});

Deno.test("properties beyond a limit are refused, all of a request", async () => {
  using setup = new Setup();
  const anna = setup.user("anna");
  await write(anna, "/home/a", "a");
  const many = Array.from({ length: bounds.each.count + 1 }, (_, i) => `x${i}`);
  await fails("over-quota", () => set(anna, "/home/a", ...many));
  assert.equal(await names(anna, "/home/a"), "");
  const long = property("x", `<x>${"y".repeat(bounds.each.octets)}</x>`);
  await fails("over-quota", () => changeProperties(anna, "/home/a", [long], any));
  await set(anna, "/home/a", ...many.slice(1));
});

Deno.test("an account's properties are removed with the account", async () => {
  using setup = new Setup();
  const anna = setup.user("anna");
  await write(anna, "/public/a", "a");
  await set(anna, "/public/a", "x");
  setup.store.accounts.remove("anna");
  for (const table of ["property", "property_sum"]) {
    assert.deepEqual(setup.store.db.all(`SELECT * FROM ${table}`), []);
  }
});

Deno.test("an account's sum is that of its properties, whatever happens to them", async () => {
  using setup = new Setup();
  const [anna, root] = [setup.user("anna"), setup.user("r", null, "admin")];
  await write(anna, "/public/a", "a");
  await set(anna, "/public/a", "x", "y");
  await changeProperties(root, "/public/a", [property("y", '<y xmlns="u:">long</y>')], any);
  await copy(root, "/public/a", "/public/b", "always");
  await move(anna, "/public/a", "/public/c", "always");
  await changeProperties(anna, "/public/c", [{ space: "u:", local: "x" }], any);
  const sums = (sql: string) => setup.store.db.all(sql).map((row) => ({ ...row }));
  assert.deepEqual(
    sums("SELECT * FROM property_sum WHERE count + size > 0 ORDER BY account"),
    sums(`SELECT account, count(*) AS count, sum(octets) AS size FROM property_size
          GROUP BY account ORDER BY account`),
  );
  assert.equal(await names(root, "/public/b"), "x,y");
});

Deno.test("a copy whose properties fail reports that the file was copied", async () => {
  using setup = new Setup();
  const anna = setup.user("anna");
  await tree(anna);
  anna.store.attached.properties.copy = () =>
    Promise.reject(new BargeError("unavailable", "the database does not answer"));
  await assert.rejects(
    copy(anna, "/home/d/e/a", "/home/b", "always"),
    /the file was copied, its properties were not: the database does not answer/,
  );
  assert.equal((await stat(anna, "/home/b")).entry?.size, 1);
});
