/** The check of uploads: when it is called, and the effect of its answers. */
import assert from "node:assert/strict";
import { BargeError } from "../../../core/error.ts";
import { copy } from "../../../core/session/copy.ts";
import type { Hooks, UploadFacts } from "../../../core/watch/hooks.ts";
import { Store } from "../../../core/local/store.ts";
import { bytes, fails, Setup, upload, write } from "../_setup.ts";

/** A data directory, and a session of anna with hooks. */
function hooked(setup: Setup, hooks: Hooks) {
  setup.user("anna", 100_000);
  const store = new Store(setup.store.settings, 0, hooks);
  return { store, session: setup.login("anna", store) };
}

Deno.test("an upload is checked; a copy is not", async () => {
  using setup = new Setup();
  const seen: string[] = [];
  const { store, session } = hooked(setup, {
    check: ({ event, path, replaced }) => {
      seen.push(`${event} ${path} ${replaced}`);
      return Promise.resolve();
    },
  });
  using _ = store;
  await write(session, "/home/a", "one");
  await upload(session, "/home/a", bytes("two"));
  await copy(session, "/home/a", "/public/b", "always");
  assert.deepEqual(seen, [
    "check /home/a false",
    "check /home/a true",
  ]);
  setup.check();
});

Deno.test("an upload that can't be written is not checked, and a refused one leaves nothing", async () => {
  using setup = new Setup();
  const seen: UploadFacts[] = [];
  const { store, session } = hooked(setup, {
    check(facts) {
      seen.push(facts);
      return Promise.reject(new BargeError("refused", "not accepted: no"));
    },
  });
  using _ = store;
  await fails("no-directory", () => write(session, "/home/none/a", "x"));
  assert.equal(seen.length, 0);
  await fails("refused", () => write(session, "/home/a", "x"), /not accepted: no/);
  await fails("refused", () => upload(session, "/home/a", bytes("x")), /not accepted: no/);
  assert.equal(seen.length, 2);
  assert.deepEqual(setup.staged(), []);
  assert.deepEqual(store.reservations.uploads(), []);
  setup.check();
});

Deno.test("a check that changes the staged file fails the upload", async () => {
  using setup = new Setup();
  const { store, session } = hooked(setup, {
    check({ upload }) {
      Deno.writeTextFileSync(`${setup.data}/staging/${upload}`, "other");
      return Promise.resolve();
    },
  });
  using _ = store;
  await fails("io", () => write(session, "/home/a", "x"), /has changed the staged file/);
  await fails("io", () => upload(session, "/home/b", bytes("x")), /has changed the staged file/);
  assert.ok(!setup.exists("/home/a") && !setup.exists("/home/b"));
});

Deno.test("an upload stays active while it is checked, and ends when it is taken over", async () => {
  using setup = new Setup();
  const asked = Promise.withResolvers<AbortSignal>();
  const { store, session } = hooked(setup, {
    check: (_, stop) =>
      new Promise((_, reject) => {
        stop.addEventListener("abort", () => reject(stop.reason));
        asked.resolve(stop);
      }),
  });
  using _ = store;
  const ended = fails("unavailable", () => upload(session, "/home/a", bytes("x")), /taken over/);
  const stop = await asked.promise;
  // The check renews its row, which seems old.
  const { id } = store.reservations.uploads()[0];
  store.db.run("UPDATE upload SET touched = 0 WHERE id = ?", id);
  const deadline = performance.now() + 20_000;
  while (store.reservations.upload(id)?.touched === 0) {
    assert.ok(performance.now() < deadline, "it does not move");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  store.db.run("UPDATE upload SET holder = 'other' WHERE id = ?", id);
  await ended;
  assert.ok(stop.aborted);
});
