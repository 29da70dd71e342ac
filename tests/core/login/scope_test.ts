/** The scopes of tokens: what a token may do, and which tokens it can make. */
import assert from "node:assert/strict";
import { BargeError } from "../../../core/error.ts";
import { changePassword } from "../../../core/login/change_password.ts";
import { logIn } from "../../../core/login/password.ts";
import { narrowedScope, type WantedScope } from "../../../core/login/scope.ts";
import type { Session } from "../../../core/login/session.ts";
import { token, tokens } from "../../../core/login/token.ts";
import { beginWebSession, findWebSession, webSessions } from "../../../core/login/web_session.ts";
import { isSubnet } from "../../../core/net/networks.ts";
import { changeAccount, listAccounts } from "../../../core/session/admin.ts";
import { copy, copyTree } from "../../../core/session/copy.ts";
import { lock, refresh, unlock } from "../../../core/session/lock.ts";
import { mkdir } from "../../../core/session/mkdir.ts";
import { move } from "../../../core/session/move.ts";
import { changeProperties } from "../../../core/session/property.ts";
import { grow, quota } from "../../../core/session/quota.ts";
import { remove } from "../../../core/session/remove.ts";
import { replaceByCopy } from "../../../core/session/replace.ts";
import { setModified } from "../../../core/session/set_modified.ts";
import { share, shares } from "../../../core/session/share.ts";
import { stat } from "../../../core/session/stat.ts";
import { status } from "../../../core/session/status.ts";
import { fullScope, type Scope } from "../../../core/storage/scope.ts";
import { begin, bytes, fails, request, Setup, verifier, write } from "../_setup.ts";

const host = "192.0.2.1";
const never = () => Promise.reject(new Error("nothing was to be waited for"));
const hour = 3_600_000;

async function issue(session: Session, wanted: WantedScope = {}): Promise<string> {
  return (await token(session, { verb: "token", action: "issue", label: "t", ...wanted })).token!;
}

async function logInBy(setup: Setup, secret: string, door = "http" as const): Promise<Session> {
  return await logIn(setup.store, { name: "", secret, host, door }, never);
}

async function refusal(work: () => Promise<unknown>): Promise<string> {
  const { kind, message } = await failureOf(work);
  return `${kind}: ${message}`;
}

async function failureOf(work: () => Promise<unknown>): Promise<BargeError> {
  const error = await work().then(() => undefined, (error) => error);
  assert.ok(error instanceof BargeError, "it was not refused");
  return error;
}

Deno.test("an append-only token changes nothing that exists, by any verb", async () => {
  using setup = new Setup();
  const anna = setup.user("anna");
  await mkdir(anna, { verb: "mkdir", path: "/home/d", parents: false });
  await write(anna, "/home/d/f", "old");
  await write(anna, "/home/g", "other");
  const job = await logInBy(setup, await issue(anna, { access: "append-only" }));
  const why = "denied: the token of this login can only add new files";
  const property = { space: "urn:x", local: "color", xml: "<x/>" };
  const oldTime = "2020-01-01T00:00:00Z";
  const refused: readonly (() => Promise<unknown>)[] = [
    () => write(job, "/home/d/f", "new"),
    () => begin(job, request("/home/d/f", { size: 10, base: "old" })),
    () => begin(job, request("/home/d/f", { size: 10, base: { file: 3 } })),
    () => remove(job, "/home/d/f", false),
    () => remove(job, "/home/d", true),
    () => move(job, "/home/d/f", "/home/d/new", "never"),
    () => move(job, "/home/d", "/home/e", "always"),
    () => copy(job, "/home/g", "/home/d/f", "always"),
    () => setModified(job, "/home/d/f", 0),
    () => mkdir(job, { verb: "mkdir", path: "/home/d", parents: true, modified: oldTime }),
    () => changeProperties(job, "/home/d/f", [property], () => {}),
    () =>
      lock(job, {
        path: "/home/d/f",
        shared: false,
        deep: false,
        seconds: 60,
        owner: "",
        tokens: new Set(),
      }, () => {}),
  ];
  for (const work of refused) assert.equal(await refusal(work), why, String(work));
  assert.equal(setup.read("/home/d/f"), "old");

  await mkdir(job, { verb: "mkdir", path: "/home/d", parents: true });
  await mkdir(job, { verb: "mkdir", path: "/home/new/in", parents: true, modified: oldTime });
  await copy(job, "/home/d/f", "/home/new/in/f", "never");
  await copyTree(job, "/home/d", "/home/copied", "never");
  assert.equal(setup.read("/home/copied/f"), "old");
  assert.equal(await refusal(() => move(job, "/home/new/in", "/home/moved", "never")), why);
  const { size } = await stat(job, "/home/new/in/f").then(({ entry }) => entry!);
  assert.equal(size, 3);
  setup.check();
});

Deno.test("of an append-only upload and another to one name, the first commit stays", async () => {
  using setup = new Setup();
  const anna = setup.user("anna");
  const job = await logInBy(setup, await issue(anna, { access: "append-only" }));
  const going = await begin(job, request("/home/f", { size: 3 }));
  await going.write(bytes("job"));
  await write(anna, "/home/f", "hers");
  await fails("denied", () => going.commit(null, true));
  assert.equal(setup.read("/home/f"), "hers");
});

Deno.test("a token for files makes no tokens and no links, and is no admin", async () => {
  for (const wanted of [{ access: "append-only" }, { path: "/home/d" }] as const) {
    using setup = new Setup();
    const anna = setup.user("anna", 1000, "admin");
    await mkdir(anna, { verb: "mkdir", path: "/home/d", parents: false });
    await write(anna, "/home/d/f", "x");
    const secret = await issue(anna, wanted);
    const job = await logInBy(setup, secret);
    const other = (await issue(anna)).split("_")[1];
    const refused: readonly (() => Promise<unknown>)[] = [
      () => issue(job),
      () => issue(job, wanted),
      () => tokens(job),
      () => token(job, { verb: "token", action: "revoke", id: other }),
      () => share(job, { path: "/home/d/f" }),
      () => shares(job),
      () => grow(job, 2000),
      () => status(job),
      () => listAccounts(job),
      () => webSessions(job),
    ];
    const why = "denied: the token of this login is for files only";
    for (const work of refused) assert.equal(await refusal(work), why, String(work));
    await fails("denied", () => changePassword(job, verifier));

    const cookie = await beginWebSession(
      setup.store,
      { name: "", secret, host, door: "http" },
      "",
      never,
    );
    const page = (await findWebSession(setup.store, cookie, host))!.session;
    assert.equal(await refusal(() => issue(page)), why);
    assert.equal(page.scope.access, job.scope.access);
    await quota(job);
    await token(job, { verb: "token", action: "revoke", id: secret.split("_")[1] });
    await fails("unauthenticated", () => quota(job));
    assert.equal(await findWebSession(setup.store, cookie, host), undefined);
  }
});

Deno.test("a token makes no token with more than its own scope", async () => {
  using setup = new Setup();
  const anna = setup.user("anna");
  const expires = new Date(Date.now() + hour).toISOString();
  const own: WantedScope = { doors: ["http", "sftp"], from: ["192.0.2.0/24"], expires };
  const job = await logInBy(setup, await issue(anna, own));
  const wider: readonly WantedScope[] = [
    { doors: ["native"] },
    { doors: ["http", "ftp"] },
    { from: ["192.0.0.0/16"] },
    { from: ["192.0.2.7", "198.51.100.1"] },
    { from: ["::/0"] },
    { from: ["::ffff:192.0.2.0/24"] },
    { expires: new Date(Date.now() + 2 * hour).toISOString() },
  ];
  for (const wanted of wider) {
    assert.equal(
      await refusal(() => issue(job, wanted)),
      "denied: the new token would have more than the token of this login",
    );
  }
  await issue(job, { access: "read-only", path: "/home/d", doors: ["http"], from: ["192.0.2.7"] });
  await issue(job);
  const all = await tokens(job);
  const narrowed = all.find(({ access }) => access === "read-only")!;
  const others = all.filter((token) => token !== narrowed);
  assert.deepEqual(
    [narrowed.access, narrowed.path, narrowed.doors, narrowed.from, narrowed.expires],
    ["read-only", "/home/d", ["http"], ["192.0.2.7"], Date.parse(expires)],
  );
  assert.equal(others.length, 2, "the token of the login, and one with the same scope");
  for (const { access, doors, from } of others) {
    assert.deepEqual([access, doors, from], ["full", own.doors, own.from]);
  }
});

Deno.test("a scope that no token can have is refused, with the reason", () => {
  const narrowed = (wanted: WantedScope): Scope => narrowedScope(fullScope, wanted, "anna");
  for (const from of [["192.0.2"], ["192.0.2.0/33"], ["box.example"], ["::/129"]]) {
    assert.throws(() => narrowed({ from }), /is no address and no network/);
  }
  for (const expires of ["2001-01-01T00:00:00Z", "soon"]) {
    assert.throws(() => narrowed({ expires }), /is no time in the future/);
  }
  for (const path of ["/home/../etc", "/elsewhere", ""]) {
    assert.throws(() => narrowed({ path }), BargeError, path);
  }
  assert.equal(narrowed({ path: "/" }).path, null);
  assert.deepEqual(narrowed({}), fullScope);
});

Deno.test("a right token is refused with the limit that it does not meet, and bans nobody", async () => {
  using setup = new Setup({ banAfter: 1 });
  const anna = setup.user("anna");
  const elsewhere = await issue(anna, { from: ["198.51.100.0/24"] });
  const otherDoor = await issue(anna, { doors: ["native", "sftp"] });
  const ended = await issue(anna, { expires: new Date(Date.now() + hour).toISOString() });
  setup.store.db.run("UPDATE token SET expires = 1 WHERE expires IS NOT NULL");
  const another = "make another one with `barge token add`";
  const reasons = [
    [
      elsewhere,
      "the token is not for clients at this address",
      `this address is ${host}; the token was made with --from: ${another}`,
    ],
    [
      otherDoor,
      "the token is not for http, only native, sftp",
      `the token was made with --doors: ${another}`,
    ],
    [ended, "the token has expired", `${another}, or use \`barge login\` again`],
  ];
  for (const [secret, why, hint] of reasons) {
    const failed = await failureOf(() => logInBy(setup, secret));
    assert.deepEqual([failed.kind, failed.message, failed.hint], ["unauthenticated", why, hint]);
  }
  assert.equal((await tokens(anna)).filter(({ expired }) => expired).length, 1);
  assert.equal((await logInBy(setup, await issue(anna))).name, "anna");

  // A token with a wrong secret gets the answer to every failed login.
  const pause = () => Promise.resolve();
  const wrong = { name: "", secret: `${ended}x`, host, door: "http" } as const;
  const why = await refusal(() => logIn(setup.store, wrong, pause));
  assert.equal(why, "unauthenticated: wrong name or password");
});

Deno.test("a network is within another one of its family, if that one has all its addresses", () => {
  const within = [
    ["10.1.0.0/16", "10.0.0.0/8"],
    ["10.0.0.1", "10.0.0.1/32"],
    ["2001:db8:1::/48", "2001:db8::/32"],
    ["192.0.2.1", "0.0.0.0/0"],
  ];
  const outside = [
    ["10.0.0.0/8", "10.1.0.0/16"],
    ["0.0.0.0/0", "10.0.0.0/8"],
    ["::ffff:10.0.0.0/8", "10.0.0.0/8"],
    ["::/0", "0.0.0.0/0"],
    ["11.0.0.0/9", "10.0.0.0/8"],
  ];
  for (const [inner, outer] of within) assert.equal(isSubnet(inner, outer), true, inner);
  for (const [inner, outer] of outside) assert.equal(isSubnet(inner, outer), false, inner);
});

Deno.test("a login that has ended makes no folder, and sets no time of a folder", async () => {
  using setup = new Setup();
  const anna = setup.user("anna");
  await mkdir(anna, { verb: "mkdir", path: "/home/d", parents: false });
  const { entry: before } = await stat(anna, "/home/d");
  const secret = await issue(anna);
  const job = await logInBy(setup, secret);
  await token(anna, { verb: "token", action: "revoke", id: secret.split("_")[1] });
  await fails("unauthenticated", () => setModified(job, "/home/d", 0));
  await fails(
    "unauthenticated",
    () => mkdir(job, { verb: "mkdir", path: "/home/e", parents: false }),
  );
  assert.deepEqual((await stat(anna, "/home/d")).entry, before);
});

Deno.test("a token with a path neither refreshes nor ends a lock above its path", async () => {
  using setup = new Setup();
  const anna = setup.user("anna");
  await mkdir(anna, { verb: "mkdir", path: "/home/a/in", parents: true });
  const wanted = { shared: false, deep: true, seconds: 60, owner: "", tokens: new Set<string>() };
  const { lock: above } = await lock(anna, { ...wanted, path: "/home/a" }, () => {});
  const job = await logInBy(setup, await issue(anna, { path: "/home/a/in" }));
  const held = new Set([above.token]);
  assert.equal(await refresh(job, "/home/a/in", held, 600, () => {}), undefined);
  assert.equal(await unlock(job, "/home/a/in", above.token), false);
  assert.equal(await unlock(anna, "/home/a/in", above.token), true);
  const { lock: own } = await lock(job, { ...wanted, path: "/home/a/in" }, () => {});
  assert.ok(await refresh(job, "/home/a/in", new Set([own.token]), 600, () => {}));
  assert.equal(await unlock(job, "/home/a/in", own.token), true);
});

Deno.test("an append-only token that may not replace a folder leaves no copy", async () => {
  using setup = new Setup();
  const anna = setup.user("anna");
  for (const path of ["/home/a", "/home/b"]) {
    await mkdir(anna, { verb: "mkdir", path, parents: false });
  }
  const job = await logInBy(setup, await issue(anna, { access: "append-only" }));
  const conditions = { mayReplace: () => {}, mayMove: () => {} };
  await fails("denied", () => replaceByCopy(job, "/home/a", "/home/b", "/home/aside", conditions));
  await fails("not-found", () => stat(anna, "/home/aside"));
});

Deno.test("an admin's token does not change the password of its own account", async () => {
  using setup = new Setup();
  const root = setup.user("root", null, "admin");
  setup.user("anna");
  const job = await logInBy(setup, await issue(root));
  await fails("denied", () => changeAccount(job, "ROOT", { password: "another-secret" }));
  await changeAccount(job, "anna", { password: "another-secret" });
  await changeAccount(root, "root", { password: "another-secret" });
});

Deno.test("a network with a zone is refused", async () => {
  using setup = new Setup();
  const anna = setup.user("anna");
  for (const from of ["fe80::1%eth0", "fe80::%eth0/64"]) {
    await fails("usage", () => issue(anna, { from: [from] }));
  }
});
