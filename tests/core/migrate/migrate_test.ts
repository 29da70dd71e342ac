/** Migrations to storage that many machines share and back, on real engines. */
import assert from "node:assert/strict";
import { toDirectory } from "../../../core/migrate/to_directory.ts";
import { refuseMarked } from "../../../core/migrate/marker.ts";
import { refuseMigrating } from "../../../core/migrate/state.ts";
import { verify } from "../../../core/repair/verify.ts";
import { move } from "../../../core/session/move.ts";
import { remove } from "../../../core/session/remove.ts";
import { Store } from "../../../core/local/store.ts";
import { AcmeFiles } from "../../../core/local/vault/acme_files.ts";
import { AcmeSecrets } from "../../../core/shared/acme_secrets.ts";
import type { AcmeRecord, AcmeRecords } from "../../../core/storage/acme.ts";
import type { AuditStore } from "../../../core/storage/audit/audit.ts";
import type { EventStore } from "../../../core/storage/events.ts";
import { secretNames } from "../../../core/storage/secret_names.ts";
import { hasEngines } from "../../contract/store/_shared.ts";
import { bytes, fails, Setup, sha256, upload, write } from "../_setup.ts";
import { address, Both } from "./_both.ts";
import {
  addPartial,
  bytesAt,
  fill,
  large,
  localSnapshot,
  phoneScope,
  sharedSnapshot,
} from "./_tree.ts";

const ignore = !hasEngines;

Deno.test({
  name: "a data directory goes to shared storage and back, and nothing is lost",
  ignore,
  async fn() {
    await using both = await Both.make();
    const { setup, shared } = both;
    const { token, link } = await fill(setup);
    const by = { account: "anna", address: "192.0.2.7", door: "http" };
    for (const event of ["account-changed", "login-failed"] as const) {
      await setup.store.people.audit.add({ event, account: "anna", by, details: { with: event } });
    }
    await setup.store.people.audit.note({ event: "login", account: "anna", by });
    const secrets = secretNames.map((name) => setup.store.db.secret(name));
    const before = await localSnapshot(setup.data);
    const paths = Object.keys(before.entries);
    assert(paths.length > 300);
    assert(paths.some((path) => /^removed\/dora-.*\/left0$/.test(path)));

    const first = await both.pass(false);
    assert.deepEqual(first.problems, []);
    assert(first.files > 280);
    await fails("fatal", () => refuseMigrating(shared.parts), /has not ended/);
    const last = await both.pass(true);
    assert.equal(last.files, 0);
    assert.equal(last.kept, first.files);
    assert.equal(last.uploads, 2);
    await refuseMigrating(shared.parts);
    assert.deepEqual(await sharedSnapshot(shared), before);
    await both.engines.check();
    assert.deepEqual(await localSnapshot(setup.data), before);

    const copies = secretNames.map((name) => shared.parts.secrets.get(name));
    assert.deepEqual(await Promise.all(copies), secrets);
    const { logins, shares, accounts } = shared.people;
    const phone = await logins.byToken(token.split("_")[1]);
    assert.equal(phone?.account.name, "anna");
    assert.deepEqual(phone.scope, phoneScope);
    assert.equal((await shares.find(link))?.downloads, 1);
    assert.equal((await accounts.get("carla")).disabled, true);
    assert((await logins.bans()).length > 0);
    const trail = async (audit: AuditStore) =>
      (await audit.list({ limit: 1000 })).map(({ id: _, ...record }) => record);
    const records = await trail(setup.store.people.audit);
    assert(records.length >= 3);
    assert.deepEqual(await trail(shared.people.audit), records);
    const data = both.empty();
    const copied = await toDirectory(shared, data, { address });
    assert.deepEqual(copied.problems, []);
    assert.deepEqual(await localSnapshot(data), before);
    using store = new Store({
      data,
      durability: "relaxed",
      allowRegister: false,
      defaultLimit: null,
      maxLimit: null,
    });
    const { problems } = await verify(store, { repair: false, contents: true });
    assert.deepEqual(problems, []);
    assert.deepEqual(await trail(store.people.audit), records);
    assert.deepEqual(secretNames.map((name) => store.db.secret(name)), secrets);
    refuseMarked(data);
  },
});

Deno.test({
  name: "events that wait and the certificate by ACME go to shared storage and back",
  ignore,
  async fn() {
    await using both = await Both.make();
    const { setup, shared } = both;
    const targets = ["on-commit", "box-1", "box-2"].map((name) => ({ name, commitsOnly: false }));
    const { events } = setup.store;
    await events.configure(targets);
    const anna = setup.user("anna");
    for (let i = 0; i < 400; i++) await write(anna, `/home/f${i % 7}`, `version ${i}`);
    const [first] = await waiting(events);
    await events.postpone([{ id: first.id, inMs: 3_600_000, error: "it answered 500" }]);
    const expected = await waiting(events);
    assert(expected.length > 1200 && expected[0].attempts === 1);
    const files = new AcmeFiles(setup.data);
    const records: [AcmeRecord, string | undefined][] = [
      ["account", '{"key":"of the account"}'],
      ["certificate", '{"cert":"chain","key":"of the certificate"}'],
      ["renewal", undefined],
    ];
    for (const [name, text] of records) if (text) await files.write(name, text);
    const acme = async (store: AcmeRecords) =>
      await Promise.all(records.map(async ([name]) => [name, await store.read(name)]));

    await both.pass(true);
    assert.deepEqual(await waiting(shared.events), expected);
    const secrets = await shared.parts.db.all<{ name: string }>("SELECT name FROM secret");
    assert.deepEqual(secrets.filter(({ name }) => name.startsWith("event")), []);
    assert.deepEqual(await acme(new AcmeSecrets(shared.parts)), records);
    // A command writes events for the targets of the last server, behind those that wait.
    await shared.people.accounts.change("anna", { limit: 1 });
    const later = (await waiting(shared.events)).slice(expected.length);
    assert.deepEqual(later.map(({ target }) => target).sort(), ["box-1", "box-2", "on-commit"]);

    const data = both.empty();
    await toDirectory(shared, data, { address });
    assert.deepEqual(await acme(new AcmeFiles(data)), records);
    using copy = new Setup({ data });
    assert.deepEqual(await waiting(copy.store.events), [...expected, ...later]);
    await write(copy.login("anna"), "/home/f0", "");
    const last = (await waiting(copy.store.events)).slice(expected.length + later.length);
    assert.equal(last.length, targets.length);
  },
});

/** Returns the events that wait in a storage, without the times until their next attempts, which pass. */
async function waiting(events: EventStore) {
  return (await events.list({}, 10_000)).map(({ dueInMs, ...event }) => ({
    ...event,
    due: dueInMs > 0,
  }));
}

Deno.test({
  name: "a copy that goes on drops what the storage does not have any more",
  ignore,
  async fn() {
    await using both = await Both.make();
    const { setup, shared } = both;
    const anna = setup.user("anna");
    for (const name of ["a", "b", "c"]) await write(anna, `/home/${name}`, name);
    await write(anna, "/public/p", "p");
    await both.pass(true);
    const data = both.empty();
    await both.killed("from", data, "committed/1");
    const { id } = await shared.people.accounts.get("anna");
    const [a, b] = ["a", "b"].map((name) => ({ dir: "homes/anna", name }));
    const always = { places: [], check: () => {} };
    await shared.tree.remove(a, id, always);
    await shared.tree.remove(b, id, always);
    await shared.tree.mkdir(b, { account: id, parents: false, modified: null }, always);
    const result = await toDirectory(shared, data, { address });
    assert.equal(result.removed, 2);
    assert.equal(result.kept, 2);
    assert.deepEqual((await localSnapshot(data)).entries, (await sharedSnapshot(shared)).entries);
  },
});

Deno.test({
  name: "a copy of storage in use has each file as one version",
  ignore,
  async fn() {
    await using both = await Both.make();
    const { setup, shared } = both;
    const anna = setup.user("anna");
    for (let i = 0; i < 50; i++) await write(anna, `/home/f${i}`, `first ${i}`);
    await both.pass(true);
    const { id: account } = await shared.people.accounts.get("anna");
    const always = { places: [], check: () => undefined };
    let writing = true;
    const writer = (async () => {
      for (let i = 0; writing; i++) {
        const content = bytes(`version ${i} `.repeat(i));
        const name = `f${i % 50}`;
        const facts = { account, size: content.length, modified: null };
        await shared.uploads.store(
          { dir: "homes/anna", name, ...facts },
          { size: content.length, sha256: sha256(content), verified: true },
          content,
          always,
        );
        const [from, to] = [name, `moved${i}`].map((name) => ({ dir: "homes/anna", name }));
        if (i % 7 === 0) await shared.tree.move(from, to, account, always);
        const upload = { dir: "homes/anna", name: "partial", account, size: 9, modified: null };
        const open = await shared.uploads.begin(upload, { keep: 0 });
        await open.body.write(bytes("part"));
        await (i % 2 ? open.detach() : open.drop());
      }
    })();
    const data = both.empty();
    try {
      assert.deepEqual((await toDirectory(shared, data, { address })).problems, []);
    } finally {
      writing = false;
      await writer;
    }
    using copy = new Setup({ data });
    const { problems } = await verify(copy.store, { repair: false, contents: true });
    assert.deepEqual(problems, []);
  },
});

Deno.test({
  name: "a pass beside a writer moves each file as one version, and the next ones take the rest",
  ignore,
  async fn() {
    await using both = await Both.make();
    const { setup, shared } = both;
    const anna = setup.user("anna");
    for (let i = 0; i < 100; i++) await write(anna, `/home/f${i}`, `first ${i}`);
    await upload(anna, "/home/large", large(1));
    let writing = true;
    const writer = (async () => {
      for (let i = 0; writing; i++) {
        await write(anna, `/home/f${i % 100}`, `version ${i}`);
        if (i % 30 === 0) await upload(anna, "/home/large", large(i));
        if (i % 7 === 0) await move(anna, `/home/f${i % 100}`, `/home/moved${i}`, "always");
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    })();
    try {
      for (let i = 0; i < 2; i++) {
        const { problems } = await both.pass(false);
        assert.deepEqual(problems.filter(({ kind }) => kind !== "changed"), []);
        await sharedSnapshot(shared); // all that is there can be read, with its digests
      }
    } finally {
      writing = false;
      await writer;
    }
    assert.deepEqual((await both.pass(true)).problems, []);
    assert.deepEqual(await sharedSnapshot(shared), await localSnapshot(setup.data));
    await both.engines.check();
  },
});

Deno.test({
  name: "a pass takes what has changed since the last one",
  ignore,
  async fn() {
    await using both = await Both.make();
    const { setup, shared } = both;
    await fill(setup);
    const first = await both.pass(false);
    const anna = setup.login("anna");
    await write(anna, "/home/d0/e0/f0", "other");
    await write(anna, "/home/d0/new", "new");
    await remove(anna, "/home/d1/e1", true);
    await move(anna, "/home/large", "/home/d2/moved", "never");
    await move(anna, "/home/d3", "/home/d4/deeper", "never");
    await remove(anna, "/home/empty", false);
    Deno.mkdirSync(`${setup.data}/homes/anna/empty`);
    Deno.writeTextFileSync(`${setup.data}/public/by hand`, "by hind");
    setup.user("erik");
    setup.store.accounts.change("carla", { disabled: false });
    await setup.store.people.accounts.remove("Bert", { purge: false });
    await addPartial(setup, 1000, "/home/one more");
    const last = await both.pass(true);
    assert.deepEqual(last.problems, []);
    // The moved file, and those of the moved folder, keep their content.
    assert(last.files < 20, `${last.files} of ${first.files} files were sent again`);
    assert(last.bytes < 25_000, `${last.bytes} bytes were sent again`);
    const after = await localSnapshot(setup.data);
    // Of a folder that was made by hand, the ledger knows no owner: it is its home's.
    const made = "homes/anna/empty";
    const entries = { ...after.entries, [made]: after.entries[made].replace("null", "anna") };
    const found = await sharedSnapshot(shared);
    assert.deepEqual(found.entries, entries);
    assert.deepEqual(found.uploads, after.uploads);
    assert.deepEqual(found.people, after.people);
    await both.engines.collect();
    assert.deepEqual(await bytesAt(shared, { dir: "homes/anna/d2", name: "moved" }), large(1));
  },
});
