import assert from "node:assert/strict";
import { mkdir } from "../../../core/session/mkdir.ts";
import { move } from "../../../core/session/move.ts";
import { quota } from "../../../core/session/quota.ts";
import { removeAccount } from "../../../core/local/remove_account.ts";
import { begin, bytes, fails, request, Setup, write } from "../_setup.ts";

const folder = (path: string) => ({ verb: "mkdir" as const, path, parents: true });

async function setUp() {
  const setup = new Setup();
  const anna = setup.user("Anna", 1000);
  const bob = setup.user("bob", 1000);
  await mkdir(anna, folder("/home/d"));
  await mkdir(anna, folder("/public/d"));
  await write(anna, "/home/d/x", "12345");
  await write(anna, "/public/d/anna", "123");
  await write(bob, "/public/d/bob", "1");
  const going = await begin(anna, request("/home/partial", { size: 10 }));
  await going.write(bytes("12345"));
  return { setup, anna, bob, going };
}

Deno.test("a removed account's home is kept, and its files in /public stay, charged to nobody", async () => {
  const { setup, anna, going } = await setUp();
  using _ = setup;
  const { kept, files, bytes: size } = await removeAccount(setup.store, "anna", { purge: false });
  assert.deepEqual([files, size], [2, 8]);
  assert(kept?.startsWith(`${setup.store.vault.root}/removed/Anna-`));
  assert.equal(Deno.readTextFileSync(`${kept}/d/x`), "12345");
  assert.equal(setup.read("/public/d/anna"), "123");
  assert(!setup.exists("/homes/Anna"));
  await fails("unauthenticated", () => quota(anna));
  await fails("unauthenticated", () => write(anna, "/home/y", "y"));
  await fails("unauthenticated", () => going.write(bytes("67890")), /removed/);
  await going.detach();
  assert.deepEqual(setup.staged(), []);
  setup.check();
  // A new account of that name begins without files.
  const again = setup.user("anna", 10);
  assert.deepEqual([(await quota(again)).used, setup.exists("/homes/anna/d")], [0, false]);
  await fails("denied", () => write(again, "/public/d/anna", "mine"), /operator/);
});

Deno.test("a purge deletes the home and the account's own files in /public, nobody else's", async () => {
  const { setup, going } = await setUp();
  using _ = setup;
  const { kept } = await removeAccount(setup.store, "anna", { purge: true });
  assert.equal(kept, null);
  assert.deepEqual([...Deno.readDirSync(`${setup.data}/removed`)], []);
  assert(!setup.exists("/public/d/anna"));
  assert.equal(setup.read("/public/d/bob"), "1");
  setup.check();
  await going.detach();
});

Deno.test("a purge leaves names that are a folder or behind a link by now", async () => {
  const { setup, anna, going } = await setUp();
  using _ = setup;
  await going.drop();
  const outside = Deno.makeTempDirSync({ prefix: "barge-outside-" });
  try {
    for (const name of ["gone", "folder"]) await write(anna, `/public/${name}`, "x");
    await mkdir(anna, folder("/public/link"));
    await write(anna, "/public/link/precious", "x");
    Deno.removeSync(setup.disk("/public/gone"));
    Deno.removeSync(setup.disk("/public/folder"));
    Deno.mkdirSync(setup.disk("/public/folder"));
    Deno.removeSync(setup.disk("/public/link"), { recursive: true });
    Deno.symlinkSync(outside, setup.disk("/public/link"));
    Deno.writeTextFileSync(`${outside}/precious`, "precious");
    await removeAccount(setup.store, "anna", { purge: true });
    assert.equal(Deno.readTextFileSync(`${outside}/precious`), "precious");
    assert(setup.exists("/public/folder"));
    assert(!setup.exists("/public/d/anna"));
    setup.check();
  } finally {
    Deno.removeSync(outside, { recursive: true });
  }
});

Deno.test("an empty home is not kept; one with any entry is", async () => {
  using setup = new Setup();
  setup.user("empty");
  setup.user("link");
  Deno.symlinkSync("/", setup.disk("/home/link", "link"));
  assert.equal((await removeAccount(setup.store, "empty", { purge: false })).kept, null);
  const { kept } = await removeAccount(setup.store, "link", { purge: false });
  assert(Deno.lstatSync(`${kept}/link`).isSymlink);
  assert.equal(
    (await removeAccount(setup.store, setup.user("x").name, { purge: true })).kept,
    null,
  );
});

Deno.test("a refused removal, or that of an unknown account, moves nothing", async () => {
  using setup = new Setup();
  const root = setup.user("root", null, "admin");
  setup.user("anna");
  await write(root, "/home/a", "a");
  await fails("refused", () => removeAccount(setup.store, "root", { purge: true }));
  await fails("not-found", () => removeAccount(setup.store, "nobody", { purge: true }));
  assert.equal(setup.read("/home/a", "root"), "a");
  setup.check();
});

Deno.test("files of others in the home are kept, and charged to nobody", async () => {
  using setup = new Setup();
  const anna = setup.user("anna");
  const root = setup.user("root", null, "admin");
  setup.user("other", null, "admin");
  await write(anna, "/public/a", "12345");
  await move(root, "/public/a", "/home/a", "never");
  const { kept } = await removeAccount(setup.store, "root", { purge: false });
  assert.equal(Deno.readTextFileSync(`${kept}/a`), "12345");
  assert.equal(setup.account("anna").used, 0);
  setup.check();
});

Deno.test("a removal that was cut off between disk and ledger is completed by another", async () => {
  const { setup, going } = await setUp();
  using _ = setup;
  await going.drop();
  await mkdir(setup.login("bob"), folder("/public/removed"));
  Deno.mkdirSync(`${setup.data}/removed`);
  Deno.renameSync(`${setup.data}/homes/Anna`, `${setup.data}/removed/Anna-then`);
  await removeAccount(setup.store, "anna", { purge: false });
  assert.equal(setup.store.accounts.find("anna"), undefined);
  assert.equal(Deno.readTextFileSync(`${setup.data}/removed/Anna-then/d/x`), "12345");
  setup.check();
});
