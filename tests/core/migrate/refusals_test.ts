/** Refusals of a migration, and the entries that it reports, on real engines. */
import assert from "node:assert/strict";
import { toDirectory } from "../../../core/migrate/to_directory.ts";
import { toShared } from "../../../core/migrate/to_shared.ts";
import { refuseMarked } from "../../../core/migrate/marker.ts";
import { PassMark } from "../../../core/migrate/state.ts";
import type { BargeError } from "../../../core/error.ts";
import type { ReconcileEvent } from "../../../core/storage/problem.ts";
import { remove } from "../../../core/session/remove.ts";
import type { MigrateProblem } from "../../../core/migrate/report.ts";
import { objectName } from "../../../core/shared/bucket/objects.ts";
import { SharedStorage } from "../../../core/shared/storage.ts";
import { hasEngines } from "../../contract/store/_shared.ts";
import { fails, Setup, upload, write } from "../_setup.ts";
import { address, Both } from "./_both.ts";
import { bytesAt, large, localSnapshot, sharedSnapshot } from "./_tree.ts";

const ignore = !hasEngines;

Deno.test({
  name: "after the last pass no server starts on the directory, and no pass runs again",
  ignore,
  async fn() {
    await using both = await Both.make();
    await both.pass(true);
    await fails("fatal", () => refuseMarked(both.setup.data), /migrated to postgres/);
    await fails("exists", () => both.pass(false), /has ended/);
    Deno.removeSync(`${both.setup.data}/migrated`);
    refuseMarked(both.setup.data);
    await fails("exists", () => both.pass(true), /has ended/);
  },
});

Deno.test({
  name: "a last pass that dies before the target knows of its end is run again",
  ignore,
  async fn() {
    await using both = await Both.make();
    await write(both.setup.user("anna"), "/home/f", "f");
    await both.pass(true);
    await both.shared.parts.db.all("DELETE FROM secret WHERE name = 'migrated'");
    await using later = new SharedStorage(both.options, () => 9);
    const options = { final: true, address };
    assert.equal((await toShared(both.setup.data, later, options)).kept, 1);
    await fails("exists", () => both.pass(true), /has ended/);
  },
});

Deno.test({
  name: "a damaged file is reported and left out, and the migration does not end without it",
  ignore,
  async fn() {
    await using both = await Both.make();
    const { setup, shared } = both;
    const anna = setup.user("anna");
    await write(anna, "/home/small", "small");
    await write(anna, "/home/sound", "sound");
    await upload(anna, "/home/large", large(1));
    for (const name of ["small", "large"]) {
      const path = `${setup.data}/homes/anna/${name}`;
      const { mtime } = Deno.statSync(path);
      using file = Deno.openSync(path, { write: true });
      file.writeSync(new Uint8Array([0x7f]));
      file.utimeSync(mtime!, mtime!);
    }
    for (const final of [false, true]) {
      const problems: MigrateProblem[] = [];
      const result = await both.pass(final, problems);
      assert.deepEqual(problems, result.problems);
      assert.deepEqual(problems.map(({ kind, path }) => [kind, path]), [
        ["digest", "homes/anna/large"],
        ["digest", "homes/anna/small"],
      ]);
    }
    refuseMarked(setup.data);
    const home = { dir: "homes/anna", name: "sound" };
    assert.equal(new TextDecoder().decode(await bytesAt(shared, home)), "sound");
    assert.equal(await shared.tree.entry({ dir: "homes/anna", name: "large" }), undefined);

    await upload(anna, "/home/large", large(2));
    await remove(anna, "/home/small", false);
    assert.deepEqual((await both.pass(true)).problems, []);
    await fails("fatal", () => refuseMarked(setup.data));
  },
});

Deno.test({
  name: "a file whose bytes are missing in the store is reported, and no server starts on the copy",
  ignore,
  async fn() {
    await using both = await Both.make();
    const { setup, shared } = both;
    const anna = setup.user("anna");
    await write(anna, "/home/sound", "sound");
    await both.pass(false);
    await write(anna, "/home/missing", "missing");
    await both.pass(true);
    const { db, bucket } = shared.parts;
    const [{ object }] = await db.all<{ object: number }>(
      "SELECT max(object) AS object FROM piece",
    );
    await bucket.delete(objectName(object));
    const data = both.empty();
    const { problems, files } = await toDirectory(shared, data, { address });
    assert.equal(files, 1);
    assert.deepEqual(problems.map(({ kind, path }) => [kind, path]), [
      ["io", "homes/anna/missing"],
    ]);
    await fails("fatal", () => refuseMarked(data), /incomplete copy/);
  },
});

Deno.test({
  name: "names that are not valid UTF-8 are reported, and links are left out",
  ignore,
  async fn() {
    await using both = await Both.make();
    const { setup, shared } = both;
    await write(setup.user("anna"), "/home/f", "f");
    const home = `${setup.data}/homes/anna`;
    Deno.symlinkSync("f", `${home}/link`);
    const make = `touch "$1/$(printf 'caf\\351')"`;
    const { success } = await new Deno.Command("sh", { args: ["-c", make, "sh", home] }).output();
    assert(success);
    const { problems } = await both.pass(true);
    assert.deepEqual(problems.map(({ kind, path }) => [kind, path]), [
      ["denied", "homes/anna/caf\uFFFD"],
    ]);
    refuseMarked(setup.data);
    const page = [];
    for await (const entries of shared.tree.pages({ dir: "homes", name: "anna" })) {
      page.push(...entries.map(({ name }) => name));
    }
    assert.deepEqual(page, ["f"]);
  },
});

Deno.test({
  name: "a pass that another one has followed changes nothing any more",
  ignore,
  async fn() {
    await using both = await Both.make();
    const { setup, shared } = both;
    await upload(setup.user("anna"), "/home/large", large(1));
    let last: Promise<unknown> | undefined;
    const onEvent = ({ type }: ReconcileEvent) => {
      if (type === "bytes") last ??= both.pass(true);
    };
    const first = toShared(setup.data, shared, { final: false, address, onEvent });
    const outcome = await first.then(() => "ended", async (error: BargeError) => {
      await last;
      return error.kind;
    });
    await last;
    // The first one may have been quick.
    if (outcome !== "ended") assert.equal(outcome, "unavailable");
    assert.deepEqual(
      (await sharedSnapshot(shared)).entries,
      (await localSnapshot(setup.data)).entries,
    );

    const mark = new PassMark(shared.parts.db);
    await mark.set();
    await mark.transaction(() => Promise.resolve());
    await new PassMark(shared.parts.db).set();
    await fails("unavailable", () => mark.transaction(() => Promise.resolve()), /another pass/);
  },
});

Deno.test({
  name: "other storage is refused",
  ignore,
  async fn() {
    await using both = await Both.make();
    await both.engines.addAccount("anna", null);
    await fails("exists", () => both.pass(false), /has accounts already/);
    await both.engines.first.db.all("DELETE FROM account");
    await both.pass(false);
    using other = new Setup();
    const options = { final: false, address };
    await fails("exists", () => toShared(other.data, both.shared, options), /is under way/);
    await fails("exists", () => toDirectory(both.shared, other.data, { address }), /not empty/);
  },
});

Deno.test({
  name: "the last pass waits for changes that a crash has left",
  ignore,
  async fn() {
    await using both = await Both.make();
    const { setup } = both;
    setup.user("anna");
    const place = { dir: "homes/anna", name: "f" };
    setup.store.reservations.begin([{
      upload: { ...place, account: 1, size: 5, modified: null, holder: "dead" },
    }]);
    await both.pass(false);
    await fails("fatal", () => both.pass(true), /did not end in order/);
  },
});
