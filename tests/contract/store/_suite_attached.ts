/** The promises of every storage about the locks and properties of WebDAV (core/storage). */
import assert from "node:assert/strict";
import { BargeError } from "../../../core/error.ts";
import { propertyBounds } from "../../../core/storage/bounds.ts";
import type { Lock } from "../../../core/storage/lock.ts";
import type { LockStore } from "../../../core/storage/locks.ts";
import type { PropertyStore } from "../../../core/storage/properties.ts";
import type { Tree } from "../../../core/storage/tree.ts";
import type { Guard } from "../../../core/storage/view.ts";
import { always } from "./_suite_tree.ts";

/** The parts of one connection to a storage. */
export interface Attached {
  readonly locks: LockStore;
  readonly properties: PropertyStore;
  readonly tree: Tree;
}

/** One empty storage, in which account "anna" has a home. */
export interface AttachedUnderTest extends AsyncDisposable {
  readonly anna: number;
  connect(): Promise<Attached>;
  /** Writes a file of anna in her home. */
  write(name: string, content: string): Promise<void>;
}

const home = { dir: "homes", name: "anna" };
const file = { dir: "homes/anna", name: "f" };
const folder = { dir: "homes/anna", name: "d" };
const inside = { dir: "homes/anna/d", name: "g" };

/** Runs the suite on a storage. */
export function attachedContract(name: string, make: () => Promise<AttachedUnderTest>): void {
  const test = (
    promise: string,
    work: (attached: Attached, storage: AttachedUnderTest) => Promise<void>,
  ) =>
    Deno.test(`${name}: ${promise}`, async () => {
      await using storage = await make();
      const attached = await storage.connect();
      await storage.write("f", "abc");
      const made = { account: storage.anna, parents: false, modified: null };
      await attached.tree.mkdir(folder, made, always);
      await storage.write("d/g", "abc");
      await work(attached, storage);
    });

  const lockOn = (account: number, facts: Partial<Lock> = {}): Lock => ({
    ...file,
    token: crypto.randomUUID(),
    account,
    shared: false,
    deep: false,
    owner: "<owner/>",
    until: Date.now() + 60_000,
    ...facts,
  });

  test(
    "a lock holds on every connection until it is removed, or over",
    async ({ locks }, storage) => {
      const other = (await storage.connect()).locks;
      const lock = lockOn(storage.anna);
      await locks.add(lock, always);
      assert.deepEqual((await other.over(file)).map((each) => ({ ...each })), [lock]);
      assert.deepEqual((await other.in(home)).length, 1);
      const chosen: Guard<Lock | undefined> = {
        places: [file],
        check: (view) => view.locksOn(file).find(({ token }) => token === lock.token),
      };
      const until = lock.until + 1000;
      assert.equal((await other.extend(until, chosen))?.until, until);
      assert.equal((await locks.over(file))[0].until, until);
      assert.equal(await locks.remove(chosen), true);
      assert.equal(await locks.remove(chosen), false);
      await locks.add(lockOn(storage.anna, { until: Date.now() - 1 }), always);
      assert.deepEqual(await other.over(file), []);
    },
  );

  test(
    "a deep lock is over all below it, a flat one over its folder alone",
    async ({ locks, tree }, storage) => {
      await locks.add(lockOn(storage.anna, { ...folder, deep: true }), always);
      await locks.add(lockOn(storage.anna, { ...home }), always);
      assert.equal((await locks.over(inside)).length, 1);
      assert.equal((await locks.over(folder)).length, 1);
      assert.equal((await locks.over(file)).length, 0);
      const seen = await tree.check({
        places: [],
        check: (view) => [view.locksBelow(home).length, view.locksOn(inside).length],
      });
      assert.deepEqual(seen, [1, 0]);
    },
  );

  test("of two guards that find no lock, one locks", async ({ locks }, storage) => {
    const other = (await storage.connect()).locks;
    const free: Guard = {
      places: [file],
      check(view) {
        if (view.locksOn(file).length > 0) throw new BargeError("denied", "locked");
      },
    };
    const both = [locks, other].map((each) => each.add(lockOn(storage.anna), free));
    const results = await Promise.allSettled(both);
    assert.equal(results.filter(({ status }) => status === "fulfilled").length, 1);
  });

  test("a lock ends with its file, and when that is moved", async ({ locks, tree }, storage) => {
    const { anna } = storage;
    await locks.add(lockOn(anna), always);
    await tree.move(file, { ...file, name: "h" }, anna, always);
    await storage.write("f", "another");
    assert.deepEqual(await locks.over(file), []);
    await locks.add(lockOn(anna), always);
    await storage.write("f", "replaced");
    assert.equal((await locks.over(file)).length, 1, "it stays where the content is replaced");
    await tree.remove(file, anna, always);
    await storage.write("f", "new");
    assert.deepEqual(await locks.over(file), []);
  });

  const color = { space: "urn:x", local: "color", xml: "<x:color xmlns:x='urn:x'>red</x:color>" };

  test(
    "properties are set and removed together, or not at all",
    async ({ properties }, storage) => {
      const { anna } = storage;
      const size = { space: "", local: "size", xml: "<size/>" };
      await properties.change(file, anna, [color, size], always);
      const of = async () => (await properties.of(file)).map(({ local }) => local);
      assert.deepEqual(await of(), ["size", "color"]);
      assert.equal(await properties.anyIn(file.dir), true);
      const refuses: Guard = {
        places: [],
        check() {
          throw new BargeError("denied", "no");
        },
      };
      await assert.rejects(properties.change(file, anna, [{ space: "", local: "size" }], refuses));
      const many = Array.from({ length: propertyBounds.each.count }, (_, n) => ({
        ...size,
        local: `p${n}`,
      }));
      await assert.rejects(
        properties.change(file, anna, many, always),
        (error) => error instanceof BargeError && error.kind === "over-quota",
      );
      assert.deepEqual(await of(), ["size", "color"]);
      await properties.change(file, anna, [{ space: "", local: "size" }], always);
      assert.deepEqual(await of(), ["color"]);
    },
  );

  test(
    "properties follow a move, are copied, and end with their file",
    async ({ properties, tree }, storage) => {
      const { anna } = storage;
      const target = { ...file, name: "h" };
      await properties.change(file, anna, [color], always);
      await properties.copy(file, inside, anna);
      await tree.move(file, target, anna, always);
      const of = async (place: typeof file) => (await properties.of(place)).map((p) => ({ ...p }));
      assert.deepEqual([await of(target), await of(inside)], [[color], [color]]);
      await storage.write("f", "new");
      assert.deepEqual(await of(file), []);
      await tree.remove(target, anna, always);
      await storage.write("h", "new");
      assert.deepEqual(await of(target), []);
    },
  );
}
