/** Every door's promise of the entry quota: files, folders and partial uploads are counted. */
import assert from "node:assert/strict";
import { pattern, type Peer, sha256 } from "../core/door/_peer.ts";
import { Refused, type Visitor } from "./_door.ts";
import type { Promised } from "./_suite.ts";

const large = 700_000;

/** Each with an account of its own, as those of _suite.ts. */
export function entryPromises(): Promised[] {
  return [{
    name: "the entry quota is exact, whoever races for it",
    limits: { entries: 5 },
    async work(stage) {
      const { native } = stage;
      const visitors: Visitor[] = [];
      try {
        while (visitors.length < 8) visitors.push(await stage.visit());
        const said = await Promise.all(
          visitors.map((visitor, i) =>
            (i % 2 === 0 ? visitor.put(`/home/f${i}`, pattern(i)) : visitor.mkdir(`/home/d${i}`))
              .then(() => "ok", (error) => {
                if (!(error instanceof Refused)) throw error;
                assert.notEqual(error.full, false, error.message);
                assert.match(error.message, /entr/i, "it is not bytes that are missing");
                return "full";
              })
          ),
        );
        assert.deepEqual(said.sort(), [...Array(3).fill("full"), ...Array(5).fill("ok")]);
      } finally {
        for (const visitor of visitors) await visitor[Symbol.asyncDispose]();
      }
      assert.deepEqual(await entriesOf(native), [5, 5]);
      const { entries } = await native.ask({ verb: "list", path: "/home" }) as {
        entries: unknown[];
      };
      assert.equal(entries.length, 5);
    },
  }, {
    name: "a full entry quota takes no new name, and lets files be replaced, moved and removed",
    limits: { entries: 3 },
    async work(stage) {
      const { here, native } = stage;
      const full = (error: unknown) => error instanceof Refused && error.full !== false;
      await here.mkdir("/home/d");
      await here.put("/home/d/f", pattern(10));
      await stage.cut("/home/half", pattern(large), 300_000);
      assert.ok(await stage.half("/home/half") > 0);
      assert.deepEqual(await entriesOf(native), [3, 3]);
      for (const path of ["/home/g", "/home/d/g", "/public/g"]) {
        await assert.rejects(() => here.put(path, pattern(10)), full, path);
        await assert.rejects(() => here.mkdir(path), full, path);
      }
      await assert.rejects(() => here.put("/home/empty", new Uint8Array()), full);
      await here.put("/home/d/f", pattern(20));
      await here.put("/home/d/f", pattern(large));
      await here.move("/home/d", "/home/e");
      await here.move("/home/e/f", "/home/f");
      assert.equal(sha256(await here.get("/home/f")), sha256(pattern(large)));
      await here.resume("/home/half", pattern(large), await stage.half("/home/half"));
      assert.deepEqual(await entriesOf(native), [3, 3]);
      await here.remove("/home/f");
      await here.mkdir("/home/e/d");
      assert.deepEqual(await entriesOf(native), [3, 3]);
      assert.deepEqual(await here.list("/home/e"), [{ name: "d", type: "dir", size: 0 }]);
    },
  }];
}

/** The account's entries, and their limit. */
async function entriesOf(native: Peer): Promise<unknown[]> {
  const { entries, entryLimit } = await native.ask({ verb: "quota" });
  return [entries, entryLimit];
}
