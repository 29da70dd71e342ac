/** Writing an upload while the object store is slow. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { BargeError } from "../../../core/error.ts";
import { SharedUploads } from "../../../core/shared/upload/uploads.ts";
import type { Tree } from "../../../core/storage/tree.ts";
import { hasEngines, SharedSetup } from "../../contract/store/_shared.ts";
import { readWhole } from "../../contract/store/_suite_tree.ts";
import { commit, declared, file } from "../../contract/store/_suite_uploads.ts";

/** The size of an upload's first piece. */
const firstPieceBytes = 256 * 1024;

Deno.test({
  name: "an upload takes bytes while its beat waits for the object store",
  ignore: !hasEngines,
  async fn() {
    await using setup = await SharedSetup.make();
    const anna = await setup.addAccount("anna", null);
    const { parts, tree } = setup.node();
    const open = Promise.withResolvers<void>();
    const order: string[] = [];
    const bucket = new Proxy(parts.bucket, {
      get(target, name) {
        const value = Reflect.get(target, name, target);
        if (name !== "put") return typeof value === "function" ? value.bind(target) : value;
        return async (...args: Parameters<typeof target.put>) => {
          await open.promise;
          order.push("stored");
          await target.put(...args);
        };
      },
    });
    const uploads = new SharedUploads({ ...parts, bucket });
    const bytes = new Uint8Array(randomBytes(firstPieceBytes + 1));
    const upload = await uploads.begin(declared(anna, bytes.length), { keep: 0 });
    await upload.body.write(bytes.subarray(0, firstPieceBytes));
    upload.renewLeaseNow();
    // The store answers late, so that the test also ends where the write waits for it.
    const late = setTimeout(open.resolve, 5_000);
    await upload.body.write(bytes.subarray(firstPieceBytes));
    order.push("written");
    clearTimeout(late);
    open.resolve();
    await commit(upload);
    assert.deepEqual(order, ["written", "stored", "stored"]);
    assert.deepEqual(await readWhole(tree, file), bytes);
    await setup.check();
  },
});

Deno.test({
  name: "an upload fails, and keeps what the store has, once an object gets no name",
  ignore: !hasEngines,
  async fn() {
    await using setup = await SharedSetup.make();
    const anna = await setup.addAccount("anna", null);
    const { parts, tree } = setup.node();
    let isDown = false;
    const objects = new Proxy(parts.objects, {
      get: (target, name) =>
        name === "take" && isDown
          ? () => Promise.reject(new BargeError("unavailable", "the database does not answer"))
          : Reflect.get(target, name, target).bind(target),
    });
    const uploads = new SharedUploads({ ...parts, objects });
    const bytes = new Uint8Array(randomBytes(4 * firstPieceBytes));
    const upload = await uploads.begin(declared(anna, bytes.length), { keep: 0 });
    await upload.body.write(bytes.subarray(0, firstPieceBytes + 1));
    isDown = true;
    const rest = bytes.subarray(firstPieceBytes + 1);
    await assert.rejects(upload.body.write(rest), { kind: "unavailable" });
    isDown = false;
    await assert.rejects(upload.body.write(rest), { kind: "unavailable" });
    await assert.rejects(upload.body.digest(), { kind: "unavailable" });
    await upload.detach();
    assert.equal(await keptBytes(tree, anna), firstPieceBytes);
    const resumed = await uploads.begin(declared(anna, bytes.length), { keep: firstPieceBytes });
    await resumed.body.write(bytes.subarray(firstPieceBytes));
    await commit(resumed);
    assert.deepEqual(await readWhole(tree, file), bytes);
    await setup.check();
  },
});

/**
 * Returns a node whose bucket holds back the put of an object of this size.
 *
 * @param size in bytes; each object of an upload is larger than the one before
 * @returns `failAfterLarger` lets that put fail once a larger object is stored
 */
function failing(setup: SharedSetup, size: number) {
  const { parts, tree } = setup.node();
  const stored = Promise.withResolvers<void>();
  const failure = Promise.withResolvers<void>();
  const bucket = new Proxy(parts.bucket, {
    get(target, name) {
      const value = Reflect.get(target, name, target);
      if (name !== "put") return typeof value === "function" ? value.bind(target) : value;
      return async (...args: Parameters<typeof target.put>) => {
        const [, { length }] = args;
        if (length === size) {
          await failure.promise;
          throw new BargeError("unavailable", "the object store does not answer");
        }
        await target.put(...args);
        if (length > size) stored.resolve();
      };
    },
  });
  const failAfterLarger = async () => {
    await stored.promise;
    failure.resolve();
  };
  return { tree, uploads: new SharedUploads({ ...parts, bucket }), failAfterLarger };
}

Deno.test({
  name:
    "bytes that were overwritten while they were sent are not kept if the store does not get them",
  ignore: !hasEngines,
  async fn() {
    await using setup = await SharedSetup.make();
    const anna = await setup.addAccount("anna", null);
    const { tree, uploads, failAfterLarger } = failing(setup, firstPieceBytes);
    const upload = await uploads.begin(declared(anna, 3 * firstPieceBytes), { keep: 0 });
    await upload.body.write(new Uint8Array(randomBytes(firstPieceBytes)));
    // The second object is sent at once, since it is full, and begins in the middle of the first one.
    const overwriting = new Uint8Array(randomBytes(2 * firstPieceBytes));
    await upload.body.writeAt(firstPieceBytes / 2, overwriting);
    await failAfterLarger();
    await upload.detach(true);
    assert.equal(await keptBytes(tree, anna), 0);
    await setup.check();
  },
});

Deno.test({
  name:
    "an upload resumes before the first object that the store did not get, not after later ones",
  ignore: !hasEngines,
  async fn() {
    await using setup = await SharedSetup.make();
    const anna = await setup.addAccount("anna", null);
    const { tree, uploads, failAfterLarger } = failing(setup, 2 * firstPieceBytes);
    const bytes = new Uint8Array(randomBytes(7 * firstPieceBytes));
    const upload = await uploads.begin(declared(anna, bytes.length), { keep: 0 });
    await upload.body.write(bytes); // three objects, each twice as large as the one before
    await failAfterLarger();
    await upload.detach();
    assert.equal(await keptBytes(tree, anna), firstPieceBytes);
    const resumed = await setup.node().uploads
      .begin(declared(anna, bytes.length), { keep: firstPieceBytes });
    assert.equal(resumed.body.size, firstPieceBytes);
    await resumed.body.write(bytes.subarray(firstPieceBytes));
    await commit(resumed);
    assert.deepEqual(await readWhole(tree, file), bytes);
    await setup.check();
  },
});

/** Returns the number of bytes of the partial upload at {@link file} from which it resumes. */
async function keptBytes(tree: Tree, account: number): Promise<number | undefined> {
  return (await tree.look(file, account)).partial?.offset;
}
