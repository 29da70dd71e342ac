/** Share links: races, moves, crashes, and removed entries. */
import assert from "node:assert/strict";
import type { BargeError } from "../../../core/error.ts";
import { listAccounts } from "../../../core/session/admin.ts";
import { copy } from "../../../core/session/copy.ts";
import { digest } from "../../../core/session/digest.ts";
import { get } from "../../../core/session/get.ts";
import { list } from "../../../core/session/list.ts";
import { mkdir } from "../../../core/session/mkdir.ts";
import { move } from "../../../core/session/move.ts";
import { quota } from "../../../core/session/quota.ts";
import { recover } from "../../../core/repair/recover.ts";
import { remove } from "../../../core/session/remove.ts";
import type { Session } from "../../../core/login/session.ts";
import { setModified } from "../../../core/session/set_modified.ts";
import {
  countDownload,
  isUnlocked,
  openShare,
  pathIn,
  revokeShare,
  share,
  shares,
  unlock,
} from "../../../core/session/share.ts";
import { stat } from "../../../core/session/stat.ts";
import { tokens } from "../../../core/login/token.ts";
import { begin, fails, request, Setup, write } from "../_setup.ts";

const visitor = { host: "192.0.2.1", version: '"1"', later: false };

Deno.test("isolates that count at once never count beyond the limit", async () => {
  using setup = new Setup();
  const anna = setup.user("anna");
  await write(anna, "/home/a", "x");
  const { token, link } = await share(anna, { path: "/home/a", maxDownloads: 5 });
  using other = setup.open();
  let counted = 0;
  for (let i = 0; i < 20; i++) {
    try {
      await countDownload(await openShare(i % 2 ? other : setup.store, token), visitor);
      counted++;
    } catch (error) {
      assert.equal((error as BargeError).kind, "not-found");
    }
  }
  assert.equal(counted, 5);
  assert.deepEqual((await shares(anna)).map(({ id, downloads, state }) => [id, downloads, state]), [
    [link.id, 5, "used-up"],
  ]);
});

Deno.test("a counted download can be resumed in a hundred parts of one version", async () => {
  using setup = new Setup();
  const anna = setup.user("anna");
  await write(anna, "/home/a", "x");
  const { token } = await share(anna, { path: "/home/a", maxDownloads: 1 });
  const open = await openShare(setup.store, token);
  await countDownload(open, visitor);
  const later = { ...visitor, later: true };
  await fails("not-found", () => countDownload(open, { ...later, host: "192.0.2.2" }));
  await fails("not-found", () => countDownload(open, { ...later, version: '"2"' }));
  for (let i = 0; i < 100; i++) await countDownload(open, later);
  await fails("not-found", () => countDownload(open, later));
});

Deno.test("a link stays with a replaced file, and ends with a moved or removed one", async () => {
  using setup = new Setup();
  const anna = setup.user("anna");
  const make = async (path: string) => (await share(anna, { path })).token;
  setup.store.vault.mkdir({ dir: "homes/anna", name: "d" }, false);
  for (const path of ["/home/replaced", "/home/moved", "/home/gone", "/home/d/in"]) {
    await write(anna, path, "1");
  }
  const [replaced, moved, gone, inside, folder] = [
    await make("/home/replaced"),
    await make("/home/moved"),
    await make("/home/gone"),
    await make("/home/d/in"),
    await make("/home/d"),
  ];
  await write(anna, "/home/replaced", "22");
  assert.equal((await openShare(setup.store, replaced)).entry.size, 2);
  await move(anna, "/home/moved", "/home/replaced", "always");
  assert.equal((await openShare(setup.store, replaced)).entry.size, 1);
  await remove(anna, "/home/gone", false);
  await move(anna, "/home/d", "/home/e", "never");
  // The new entries of these names are not shared.
  setup.store.vault.mkdir({ dir: "homes/anna", name: "d" }, false);
  for (const path of ["/home/moved", "/home/gone", "/home/d/in"]) await write(anna, path, "1");
  for (const token of [moved, gone, inside, folder]) {
    await fails("not-found", () => openShare(setup.store, token), /leads nowhere/);
  }
  assert.deepEqual((await shares(anna)).map(({ state }) => state).sort(), [
    ...Array(4).fill("gone"),
    "live",
  ]);
});

Deno.test("a move that a crash interrupts moves its links at the next start", async () => {
  using setup = new Setup();
  const anna = setup.user("anna");
  await write(anna, "/home/a", "1");
  const { token } = await share(anna, { path: "/home/a" });
  const [from, to] = ["a", "b"].map((name) => ({ dir: "homes/anna", name }));
  setup.store.intents.intend("move", from, to);
  setup.store.vault.rename(from, to);
  await recover(setup.store);
  await write(anna, "/home/a", "another");
  await fails("not-found", () => openShare(setup.store, token));
});

Deno.test("the proof of a password is valid for its link only, and ends with it", async () => {
  using setup = new Setup();
  const anna = setup.user("anna");
  const bob = setup.user("bob");
  await write(anna, "/home/a", "1");
  const { token, link } = await share(anna, { path: "/home/a", password: "sesame" });
  const open = await openShare(setup.store, token);
  const waited: number[] = [];
  const pause = (ms: number) => Promise.resolve(void waited.push(ms));
  for (const wrong of ["", "Sesame"]) {
    await fails("unauthenticated", () => unlock(open, wrong, visitor.host, pause));
  }
  assert(waited.length === 2 && waited[0] > 0 && waited[1] > waited[0], `${waited}`);
  const proof = await unlock(open, "sesame", visitor.host, pause);
  assert(await isUnlocked(open, proof));
  for (const wrong of ["", "x", `9${proof}`, proof.slice(0, -1), `0.${proof}`]) {
    assert(!(await isUnlocked(open, wrong)), wrong);
  }
  const other = await share(anna, { path: "/home/a", password: "sesame" });
  assert(!(await isUnlocked(await openShare(setup.store, other.token), proof)));
  await fails("not-found", () => revokeShare(bob, link.id));
  await revokeShare(anna, link.id);
  await fails("not-found", () => openShare(setup.store, token));
});

Deno.test("the session of a link can read the shared entry, and nothing else", async () => {
  using setup = new Setup();
  const anna = setup.user("anna", null, "admin");
  const folder = (path: string) => mkdir(anna, { verb: "mkdir", path, parents: false });
  ["/home/d", "/home/d/e", "/home/dd"].forEach(folder);
  for (const path of ["/home/d/in", "/home/d/e/deep", "/home/beside", "/home/dd/x", "/public/p"]) {
    await write(anna, path, path);
  }
  const open = async (path: string) =>
    (await openShare(setup.store, (await share(anna, { path })).token)).session;
  const dir = await open("/home/d");
  assert.equal((await stat(dir, "/home/d/in")).entry?.size, 10);
  assert.equal((await text(dir, "/home/d/e/deep")).length, 14);
  const file = await open("/home/d/in");
  assert.equal(await text(file, "/home/d/in"), "/home/d/in");
  for (const path of ["/", "/home", "/home/beside", "/home/dd", "/home/dd/x", "/public/p"]) {
    for (const session of [dir, file]) {
      await fails("not-found", () => stat(session, path));
      await fails("not-found", () => get(session, path, 0));
      await fails("not-found", () => list(session, path, true).next());
      await fails("not-found", () => digest(session, digestOf(path)));
    }
  }
  await fails("not-found", () => stat(file, "/home/d/e/deep"));
  for (const path of ["/home/d/../beside", "/home/d/./in"]) {
    await fails("usage", () => stat(dir, path));
  }
  // Its session changes nothing, and reads nothing of the account.
  const inside = "/home/d/in";
  await fails("denied", () => write(dir, inside, "x"));
  await fails("denied", () => begin(dir, request("/home/d/new")));
  await fails("denied", () => remove(dir, inside, false));
  await fails("denied", () => move(dir, inside, "/home/d/moved", "never"));
  await fails("denied", () => copy(dir, inside, "/home/d/copied", "never"));
  await fails("denied", () => mkdir(dir, { verb: "mkdir", path: "/home/d/n", parents: false }));
  await fails("denied", () => setModified(dir, inside, 0));
  await fails("denied", () => share(dir, { path: inside }));
  await fails("denied", () => shares(dir));
  await fails("denied", () => quota(dir));
  await fails("denied", () => tokens(dir));
  await fails("denied", () => listAccounts(dir));
  assert.equal(setup.read("/home/d/in"), inside);
  assert.equal(
    pathIn(await openShare(setup.store, (await share(anna, { path: inside })).token), "/in"),
    inside,
  );
});

function digestOf(path: string) {
  return { verb: "digest", path, algorithm: "sha256", fresh: false } as const;
}

async function text(session: Session, path: string): Promise<string> {
  const file = await get(session, path, 0);
  try {
    return new TextDecoder().decode(await file.rest());
  } finally {
    file.close();
  }
}
