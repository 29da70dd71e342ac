/** The bounds on the rows of one account, also with several processes. */
import assert from "node:assert/strict";
import {
  maxFinishedUploads,
  maxKeys,
  maxPartialUploads,
  maxShares,
  maxTokens,
  propertyBounds,
} from "../../../../core/storage/bounds.ts";
import type { Place } from "../../../../core/storage/place.ts";
import { fails, Setup } from "../../_setup.ts";

const place = (name: string): Place => ({ dir: "homes/anna", name });
const text = (n: number) => String(n).padStart(6, "0");

Deno.test("an account has at most 100 tokens, also with concurrent requests", async () => {
  using setup = new Setup();
  const { id } = setup.user("anna");
  using other = setup.open();
  const asked = Array.from(
    { length: maxTokens + 20 },
    (_, i) => (i % 2 ? setup.store : other).tokens.issue(id, "cron"),
  );
  const outcomes = await Promise.allSettled(asked);
  assert.equal(outcomes.filter(({ status }) => status === "fulfilled").length, 100);
  const error = await fails(
    "refused",
    () => setup.store.tokens.issue(id, "one more"),
    /100 tokens/,
  );
  assert.match(error.hint!, /revoke/);
  setup.store.tokens.revoke(id, setup.store.tokens.list(id)[0].id);
  await setup.store.tokens.issue(id, "there is room again");
  await setup.store.tokens.issue(setup.user("ben").id, "another account's");
});

Deno.test("an account has at most 100 public keys; the same key counts once", async () => {
  using setup = new Setup();
  const { id } = setup.user("anna");
  const key = (n: number) => ({
    type: "ssh-ed25519",
    blob: new TextEncoder().encode(text(n)),
    comment: "",
    ignored: [],
  });
  for (let n = 0; n < maxKeys; n++) assert.equal(setup.store.keys.add(id, key(n)), true);
  const error = await fails("refused", () => setup.store.keys.add(id, key(maxKeys)), /100 keys/);
  assert.match(error.hint!, /remove some/);
  assert.equal(setup.store.keys.add(id, key(0)), false);
});

Deno.test("an account has at most 1000 share links", async () => {
  using setup = new Setup();
  const { id } = setup.user("anna");
  const { shares, db } = setup.store;
  const share = {
    ...{
      place: place("a"),
      kind: "file" as const,
      expires: Date.now() + 60_000,
      maxDownloads: null,
    },
    verifier: null,
  } as const;
  db.transaction(() => {
    for (let n = 0; n < maxShares; n++) shares.add(id, share);
  });
  await fails("refused", () => shares.add(id, share), /1000 links/);
});

Deno.test("an account has at most 1000 partial uploads, also those with a holder", async () => {
  using setup = new Setup();
  const { id: account } = setup.user("anna");
  const { reservations, db } = setup.store;
  const declared = (name: string) => ({
    ...place(name),
    account,
    size: 0,
    modified: null,
    holder: "h",
  });
  const begin = (name: string) => reservations.begin([{ upload: declared(name) }])[0];
  const sealed = { size: 0, sha256: "", verified: true };
  db.transaction(() => {
    for (let n = 0; n < maxPartialUploads - 1; n++) {
      const { id } = begin(text(n));
      if (n % 2) reservations.detach(id, "h", 0, false, true);
    }
  });
  using other = setup.open();
  const last = begin("last");
  const error = await fails(
    "over-quota",
    () => other.reservations.begin([{ upload: declared("x") }]),
    /1000 partial uploads/,
  );
  assert.match(error.hint!, /barge rm --partial/);
  await fails("over-quota", () => {
    db.transaction(() =>
      reservations.begin([{ upload: declared("y") }, { upload: declared("z") }])
    );
  });
  // A sealed upload does not count; it can't become a partial one either.
  const [whole] = reservations.begin([{ upload: declared("whole"), sealed }]);
  assert.equal(reservations.detach(whole.id, "h", 0, false, true), false);
  const partials = "SELECT count(*) AS n FROM upload WHERE sha256 IS NULL";
  assert.equal(db.get<{ n: number }>(partials)!.n, 1000);
  // An existing one can be resumed; a dropped one makes room.
  assert.ok(reservations.resume(last.id, declared("last")));
  reservations.drop(last.id);
  begin("x");
  reservations.begin([{ upload: { ...declared("x"), account: setup.user("ben").id } }]);
});

Deno.test("the newest 1000 finished uploads of an account are remembered", () => {
  using setup = new Setup();
  const { id } = setup.user("anna");
  const { finishedUploads, db } = setup.store;
  db.transaction(() => {
    for (let n = 0; n < maxFinishedUploads + 50; n++) {
      finishedUploads.record(id, place(text(n)), { size: 1, sha256: "", finished: 1000 + n });
    }
  });
  const rows = db.get<{ n: number }>("SELECT count(*) AS n FROM finished_upload")!.n;
  assert.equal(rows, maxFinishedUploads);
  assert.equal(finishedUploads.find(id, place(text(49))), undefined);
  assert.ok(finishedUploads.find(id, place(text(50))));
});

Deno.test("properties are counted in octets of all their columns", async () => {
  using setup = new Setup();
  const { id } = setup.user("anna");
  const { properties, db } = setup.store;
  const { octets } = propertyBounds.each;
  const set = (name: string, space: string, local: string, xml: string) =>
    db.transaction(() => {
      properties.set(place(name), id, { space, local, xml });
      properties.check(place(name), id);
    });
  set("a", "ü", "b", "<b/>");
  assert.equal(properties.octets(id), "homes/anna".length + 1 + 2 + 1 + 4);
  // Long namespaces, long local names and letters of several octets count, too.
  await fails("over-quota", () => set("a", "s".repeat(octets), "c", ""), /at most 256 properties/);
  await fails("over-quota", () => set("a", "", "c".repeat(octets), ""), /at most/);
  await fails("over-quota", () => set("a", "", "c", "ü".repeat(octets / 2)), /at most/);
  assert.equal(properties.octets(id), "homes/anna".length + 1 + 2 + 1 + 4);
  setup.store.ledger.rename(place("a"), { dir: "homes/anna/longer", name: "name" });
  assert.equal(properties.octets(id), "homes/anna/longer".length + 4 + 2 + 1 + 4);
  // The test sets the account's sum to nearly full.
  db.run("UPDATE property_sum SET size = ?", propertyBounds.account.octets - 100);
  await fails("over-quota", () => set("b", "", "c", "x".repeat(100)), /an account's files/);
  const from = { dir: "homes/anna/longer", name: "name" };
  const to = { dir: "homes/anna", name: "n".repeat(255) };
  await fails("over-quota", () => properties.checkRename(from, to, id), /an account's files/);
  properties.checkRename(from, place("b"), id);
});
