/** The promises of every storage about the tree of files and folders (core/storage/tree.ts). */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { BargeError, type Kind } from "../../../core/error.ts";
import type { Place } from "../../../core/storage/place.ts";
import type { Tree } from "../../../core/storage/tree.ts";
import type { Guard } from "../../../core/storage/view.ts";

/** A change during which a process can be killed. */
export type Change = "move" | "remove";

/** One storage, empty but for its accounts. */
export interface TreeUnderTest extends AsyncDisposable {
  /** Opens one more connection, as another worker has it. It is closed with the storage. */
  connect(): Promise<Tree>;
  /** Adds an account with a home. @returns its id */
  addAccount(name: string): Promise<number>;
  /** Sets the entry limit of an account. */
  limitEntries(account: string, entries: number): Promise<void>;
  /** Writes a file of the account in its home, in place of the existing one. */
  write(account: string, name: string, content: string): Promise<void>;
  /** Returns the bytes that an account is charged for. */
  used(account: number): Promise<number>;
  /** The steps of {@link kill}, in their order; from the second on, the change has happened. */
  readonly steps: readonly string[];
  /**
   * Has another process move `homes/anna/from` to `homes/anna/to`, or remove it, and kills it at a
   * step; then does what a start of the server does.
   */
  kill(change: Change, step: string, account: number): Promise<void>;
}

const home = "homes/anna";
export const from: Place = { dir: home, name: "from" };
export const to: Place = { dir: home, name: "to" };

/** A guard that lets every change pass. */
export const always: Guard = { places: [], check: () => {} };

/** Reads all bytes of a file. */
export async function readWhole(tree: Tree, place: Place): Promise<Uint8Array> {
  const content = await tree.open(place, 0);
  try {
    return await content.rest();
  } finally {
    content.close();
  }
}

const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");

async function fails(kind: Kind, work: () => Promise<unknown>, message = /./): Promise<void> {
  await assert.rejects(
    work,
    (error) => error instanceof BargeError && error.kind === kind && message.test(error.message),
  );
}

/** Makes a folder of account `account`. */
function folder(tree: Tree, place: Place, account: number): Promise<boolean> {
  return tree.mkdir(place, { account, parents: false, modified: null }, always);
}

async function namesIn(tree: Tree, place: Place): Promise<string[]> {
  const names: string[] = [];
  for await (const page of tree.pages(place)) names.push(...page.map(({ name }) => name));
  return names;
}

async function textOf(tree: Tree, place: Place): Promise<string> {
  const content = await tree.open(place, 0);
  try {
    return new TextDecoder().decode(await content.rest());
  } finally {
    content.close();
  }
}

/** Runs the suite on a storage. */
export function treeContract(name: string, make: () => Promise<TreeUnderTest>): void {
  type Case = (store: TreeUnderTest, tree: Tree, anna: number) => Promise<void>;
  const test = (promise: string, run: Case) =>
    Deno.test(`${name}: ${promise}`, async () => {
      await using store = await make();
      const anna = await store.addAccount("anna");
      await run(store, await store.connect(), anna);
    });

  test(
    "a look shows the facts of a file, of a folder, and of nothing",
    async (store, tree, anna) => {
      await store.write("anna", "from", "abc");
      await folder(tree, to, anna);
      const file = (await tree.entry(from))!;
      assert.deepEqual([file.type, file.size, file.owner], ["file", 3, anna]);
      assert.deepEqual([file.ownerName, file.sha256], ["anna", sha256("abc")]);
      assert.equal((await tree.entry(to))?.type, "dir");
      assert.equal(await tree.entry({ dir: home, name: "none" }), undefined);
      assert.deepEqual(await tree.look(from, anna), { entry: file, partial: undefined });
    },
  );

  test("a folder's pages have each name once, by code unit", async (store, tree, anna) => {
    const many = Array.from({ length: 300 }, (_, i) => `f${i}`);
    const odd = ["a b", "B", "a", "Ä", "\uffee", "\u{1f600}", "-"];
    for (const each of many) await folder(tree, { dir: home, name: each }, anna);
    for (const each of odd) await store.write("anna", each, each);
    const sizes: number[] = [];
    for await (const page of tree.pages({ dir: "homes", name: "anna" })) sizes.push(page.length);
    assert(sizes.length > 1, "a large folder comes in several pages");
    assert.deepEqual(
      await namesIn(tree, { dir: "homes", name: "anna" }),
      [...many, ...odd].sort(),
    );
    await fails("not-found", () => namesIn(tree, to));
  });

  test("named entries come in the given order, without missing ones", async (store, tree) => {
    for (const each of ["a", "b", "c"]) await store.write("anna", each, each);
    const named = await tree.named(home, ["c", "none", "a"]);
    assert.deepEqual(named.map(({ name }) => name), ["c", "a"]);
    assert.deepEqual(named.map(({ entry }) => entry.sha256), [sha256("c"), sha256("a")]);
  });

  test(
    "creation times that are asked for at once are those of their entries",
    async (_, tree, anna) => {
      const places = Array.from({ length: 150 }, (_, i) => ({
        dir: i % 2 ? "homes/anna" : "homes/anna/folder",
        name: `${i}`,
      }));
      const facts = { account: anna, parents: true, modified: null };
      for (const each of places) await tree.mkdir(each, facts, always);
      const missing = { dir: "homes/anna/none", name: "f" };
      const times = await Promise.all([...places, missing].map((each) => tree.created(each)));
      assert.equal(times.pop(), undefined);
      for (const [i, each] of places.entries()) assert.equal(times[i], await tree.created(each));
      assert(times.every((time) => time !== undefined && time > 0), times.join());
    },
  );

  test("a folder is made once, with its parents only where requested", async (_, tree, anna) => {
    const deep = { dir: `${home}/to/x`, name: "y" };
    await fails("no-directory", () => folder(tree, deep, anna));
    const modified = 1_600_000_000_000;
    const facts = { account: anna, parents: true, modified };
    assert.equal(await tree.mkdir(deep, facts, always), true);
    assert.equal((await tree.entry(deep))?.modified, modified);
    const later = { ...facts, modified: modified + 1000 };
    assert.equal(await tree.mkdir(deep, later, always), false);
    assert.equal(
      (await tree.entry(deep))?.modified,
      later.modified,
      "an existing folder gets it, too",
    );
    assert.equal(await tree.mkdir(deep, { ...later, parents: false }, always), false);
    const now = { ...facts, modified: null };
    assert.equal(await tree.mkdir(deep, now, always), false);
    assert.equal((await tree.entry(deep))?.modified, later.modified);
  });

  test("an account without a free entry gets no folder", async (store, tree, anna) => {
    await store.limitEntries("anna", 1);
    await folder(tree, from, anna);
    const taken = /^needs 1 more entry, 1 of 1 is taken \(files, folders and partial uploads\)$/;
    await fails("over-quota", () => folder(tree, to, anna), taken);
    assert.equal(await tree.entry(to), undefined);
  });

  test("a move takes a file with its digest, and replaces another", async (store, tree, anna) => {
    await store.write("anna", "from", "new");
    await store.write("anna", "to", "old file");
    await tree.move(from, to, anna, always);
    assert.equal(await tree.entry(from), undefined);
    assert.equal((await tree.entry(to))?.sha256, sha256("new"));
    assert.equal(await store.used(anna), 3);
    await fails("not-found", () => tree.move(from, to, anna, always));
  });

  test("a move takes a folder with its entries", async (store, tree, anna) => {
    await folder(tree, from, anna);
    await store.write("anna", "from/a", "abc");
    await tree.move(from, to, anna, always);
    assert.equal(await tree.entry(from), undefined);
    assert.deepEqual(await namesIn(tree, to), ["a"]);
    const moved = await tree.entry({ dir: `${home}/to`, name: "a" });
    assert.deepEqual([moved?.owner, moved?.sha256], [anna, sha256("abc")]);
  });

  test("a removal gives back the bytes of a folder's files", async (store, tree, anna) => {
    await folder(tree, from, anna);
    for (const each of ["a", "b"]) await store.write("anna", `from/${each}`, "12345");
    assert.equal(await store.used(anna), 10);
    assert.equal(await tree.remove(from, anna, always), 2);
    assert.deepEqual([await tree.entry(from), await store.used(anna)], [undefined, 0]);
    await fails("not-found", () => tree.remove(from, anna, always));
  });

  test("a guard that throws refuses the change, and leaves nothing", async (store, tree, anna) => {
    await store.write("anna", "from", "abc");
    const refuses: Guard = {
      places: [from],
      check(view) {
        assert.equal(view.entry(from)?.size, 3);
        throw new BargeError("denied", "refused by the test");
      },
    };
    const facts = { account: anna, parents: false, modified: null };
    await fails("denied", () => tree.move(from, to, anna, refuses));
    await fails("denied", () => tree.remove(from, anna, refuses));
    await fails("denied", () => tree.mkdir(to, facts, refuses));
    await fails("denied", () => tree.setModified(from, 1_600_000_000_000, refuses));
    assert.equal(await tree.entry(to), undefined);
    assert.equal(await textOf(tree, from), "abc");
    await tree.move(from, to, anna, always); // nothing of the refusals is in its way
  });

  test("of racing moves to a free place, a guard lets one pass", async (store, tree, anna) => {
    const other = await store.connect();
    const names = Array.from({ length: 12 }, (_, i) => `f${i}`);
    for (const each of names) await store.write("anna", each, each);
    const free: Guard = {
      places: [to],
      check(view) {
        if (view.entry(to)) throw new BargeError("exists", "it exists already");
      },
    };
    const moves = names.map((name, i) =>
      (i % 2 ? tree : other).move({ dir: home, name }, to, anna, free)
    );
    const results = await Promise.allSettled(moves);
    assert.equal(results.filter(({ status }) => status === "fulfilled").length, 1);
    const winner = names[results.findIndex(({ status }) => status === "fulfilled")];
    assert.equal(await textOf(tree, to), winner);
    assert.equal((await namesIn(tree, { dir: "homes", name: "anna" })).length, names.length);
  });

  test("a set time keeps the digest", async (store, tree) => {
    await store.write("anna", "from", "abc");
    const kept = await tree.setModified(from, 1_600_000_000_000, always);
    const entry = await tree.entry(from);
    assert.deepEqual([entry?.modified, entry?.sha256], [kept, sha256("abc")]);
  });

  test("content is read from any offset, with the digest of the whole", async (store, tree) => {
    await store.write("anna", "from", "0123456789");
    const content = await tree.open(from, 4);
    assert.equal(new TextDecoder().decode(await content.rest()), "456789");
    assert.equal(content.digest(), sha256("0123456789"));
    content.close();
    assert.deepEqual(await tree.digest(from, "sha256"), {
      digest: sha256("0123456789"),
      size: 10,
    });
    await fails("usage", () => tree.open(from, 11));
    await fails("exists", () => tree.open({ dir: "homes", name: "anna" }, 0));
  });

  test("small files are read at once, as far as there is room", async (store, tree) => {
    const named = (name: string) => ({ dir: from.dir, name });
    await store.write("anna", "a", "12345");
    await store.write("anna", "b", "123456");
    await store.write("anna", "c", "");
    const places = ["a", "b", "none", "c"].map(named);
    const folder = { dir: "homes", name: "anna" };
    const [a, b, none, c, dir] = await tree.readSmall([...places, folder], 10);
    assert(a && "bytes" in a && c && "bytes" in c);
    assert.equal(new TextDecoder().decode(a.bytes), "12345");
    assert.deepEqual([a.sha256, c.sha256], [sha256("12345"), sha256("")]);
    assert.equal(c.bytes.length, 0);
    assert.equal(b, undefined, "it has no room beside the first");
    assert.equal(none instanceof BargeError && none.kind, "not-found");
    assert.equal(dir instanceof BargeError && dir.kind, "exists");
    const [again] = await tree.readSmall([named("b")], 6);
    assert(again && "bytes" in again && again.bytes.length === 6);
  });

  test("an open file stays as it was, whatever replaces it", async (store, tree, anna) => {
    await store.write("anna", "from", "the old bytes");
    const content = await tree.open(from, 0);
    await store.write("anna", "from", "new");
    await tree.remove(from, anna, always);
    assert.equal(content.size, 13);
    assert.equal(new TextDecoder().decode(await content.rest()), "the old bytes");
    content.close();
  });

  test("a move that is killed at a step is whole or absent", async (store, tree, anna) => {
    for (const [i, step] of store.steps.entries()) {
      await store.write("anna", "from", step);
      await store.kill("move", step, anna);
      const moved = i > 0; // from the rename on
      assert.equal(await textOf(tree, moved ? to : from), step, step);
      assert.equal(await tree.entry(moved ? from : to), undefined, step);
      assert.equal((await tree.entry(moved ? to : from))?.sha256, sha256(step), step);
      assert.equal(await store.used(anna), step.length, step);
      if (moved) await tree.remove(to, anna, always);
    }
  });

  test("a removal that is killed at a step is whole or absent", async (store, tree, anna) => {
    for (const [i, step] of store.steps.entries()) {
      await folder(tree, from, anna).catch(() => false);
      await store.write("anna", "from/a", step);
      await store.kill("remove", step, anna);
      const removed = i > 0;
      assert.equal(await tree.entry(from) === undefined, removed, step);
      assert.equal(await store.used(anna), removed ? 0 : step.length, step);
    }
  });
}
