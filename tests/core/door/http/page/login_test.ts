/** Tests the logins of the page, and that other sites can't use them. */
import assert from "node:assert/strict";
import { Accounts } from "../../../../../core/local/account/accounts.ts";
import { Tokens } from "../../../../../core/local/account/tokens.ts";
import { Database } from "../../../../../core/local/database/database.ts";
import { webSessionIdleMs } from "../../../../../core/storage/logins.ts";
import { fullScope } from "../../../../../core/storage/scope.ts";
import { startServer } from "../../../../_server.ts";
import { Person, test } from "./_browser.ts";

Deno.test("a stolen, old or ended cookie, or one of a disabled account, is refused", async (t) => {
  await using server = await startServer({ args: ["--http", "127.0.0.1:0"] });
  await server.addUser("alice");
  const base = `http://${server.facts.http}`;

  await t.step(
    "the database does not store the cookie, and the cookie has strict attributes",
    async () => {
      const { cookie, header } = await login(base);
      assert.match(
        header,
        /^barge=[\w-]{43}; Max-Age=2592000; Path=\/; HttpOnly; SameSite=Strict$/,
      );
      using db = new Database(server.data, { durability: "full" });
      const rows = JSON.stringify(db.all("SELECT * FROM web_session"));
      assert.ok(!rows.includes(cookie.slice("barge=".length)));
      assert.equal(await status(base, cookie), 200);
      assert.equal(
        await status(base, cookie.slice(0, -1) + (cookie.endsWith("A") ? "B" : "A")),
        303,
      );
    },
  );

  await t.step("the cookie also works for the API", async () => {
    const { cookie } = await login(base);
    const ask = (cookie: string) => fetch(`${base}/api/v1/quota`, { headers: { cookie } });
    const [good, bad] = [await ask(cookie), await ask("barge=x")];
    assert.deepEqual([good.status, bad.status], [200, 401]);
    await Promise.all([good.body?.cancel(), bad.body?.cancel()]);
  });

  await t.step("a cookie ends after a week without use, and after a month", async () => {
    for (const column of ["seen", "created"]) {
      const { cookie } = await login(base);
      using db = new Database(server.data, { durability: "full" });
      db.run(`UPDATE web_session SET ${column} = ?`, Date.now() - webSessionIdleMs * 5);
      assert.equal(await status(base, cookie), 303);
    }
  });

  await t.step("a logout ends the cookie on the server", async () => {
    const { cookie, csrf } = await login(base);
    assert.equal(await post(base, "/logout", { csrf }, cookie), 303);
    assert.equal(await status(base, cookie), 303);
  });

  await t.step("a form needs the page's token and must be of this site", async () => {
    const { cookie, csrf } = await login(base);
    const form = { dir: "/home", to: "made", csrf };
    const send = (fields: Record<string, string>, headers: Record<string, string> = {}) =>
      post(base, "/do/mkdir", fields, cookie, headers);
    assert.equal(await send({ ...form, csrf: "" }), 403);
    assert.equal(await send({ ...form, csrf: (await login(base)).csrf }), 403);
    assert.equal(await send(form, { origin: "http://evil.example" }), 403);
    assert.equal(await send(form, { "sec-fetch-site": "cross-site" }), 403);
    assert.equal(await send(form, { origin: "null" }), 403);
    assert.throws(() => Deno.statSync(`${server.data}/homes/alice/made`), Deno.errors.NotFound);
    assert.equal(await send(form, { origin: base, "sec-fetch-site": "same-origin" }), 303);
    assert.ok(Deno.statSync(`${server.data}/homes/alice/made`).isDirectory);
    const foreign = await fetch(`${base}/api/v1/files/home/made`, {
      method: "DELETE",
      headers: { cookie, origin: "http://evil.example" },
    });
    await foreign.body?.cancel();
    assert.equal(foreign.status, 403);
  });

  await t.step("a login redirects only to paths of this server", async () => {
    for (const back of ["//evil.example", "https://evil.example", "/\\evil.example", "/a\nb", ""]) {
      const { csrf } = await formOf(`${base}/login`);
      const fields = { csrf, name: "alice", password: "alice-secret", back };
      const response = await fetch(`${base}/login`, {
        method: "POST",
        body: new URLSearchParams(fields),
        redirect: "manual",
      });
      await response.body?.cancel();
      assert.equal(response.headers.get("location"), "/files/home/");
    }
  });

  await t.step("a right secret that a limit refuses gets the reason and what to do", async () => {
    await server.addUser("guest");
    const { token } = await issueToken(server.data, "guest");
    const refusal = async (password: string) => {
      const { csrf } = await formOf(`${base}/login`);
      const body = new URLSearchParams({ csrf, name: "guest", password, back: "" });
      const response = await fetch(`${base}/login`, { method: "POST", body });
      assert.equal(response.status, 401);
      return /role="alert".*?<div>([^<]*)</s.exec(await response.text())![1].replace("&#39;", "'");
    };
    assert.equal(
      await refusal(token),
      "The token is not for http, only sftp. Log in with your password, or with another token.",
    );
    await server.changeUser("guest", { from: ["192.0.2.0/24"] });
    assert.equal(
      await refusal("guest-secret"),
      "The account may not be used from this address. Ask the server's operator for help.",
    );
    await server.changeUser("guest", { from: null, expires: Date.now() - 1 });
    assert.equal(
      await refusal("guest-secret"),
      "The account has expired. Ask the server's operator for help.",
    );
    assert.equal(await refusal("wrong-secret"), "The name or the password is wrong.");
  });

  await t.step("disabling an account ends its cookie at once", async () => {
    const { cookie } = await login(base);
    using db = new Database(server.data, { durability: "full" });
    db.run("UPDATE account SET disabled = 1 WHERE name = 'alice'");
    assert.equal(await status(base, cookie), 303);
  });
});

test("an account is registered, and its quota, logins and password are changed", async (t) => {
  await using carol = await Person.open({ scheme: "dark" });
  const { page } = carol;

  await t.step("an account registers", async () => {
    await page.goto(`${carol.base}/`);
    await page.click("text=Create an account");
    await page.waitForURL("**/register");
    await page.fill("#name", "carol");
    await page.fill("#new", "one-secret");
    await page.fill("#again", "two-secret");
    await page.click("button >> text=Create the account");
    await page.locator("[role=alert]", { hasText: "differ" }).waitFor();
    await page.fill("#new", "carol-secret");
    await page.fill("#again", "carol-secret");
    await page.click("button >> text=Create the account");
    await carol.hears("Welcome!");
  });

  await t.step("the quota can be raised as far as the server allows", async () => {
    await page.click(".who a");
    await page.getByText("at most 2 MB").waitFor();
    await carol.checkAccess();
    await page.fill("#limit", "3 MB");
    await page.click("button >> text=Raise");
    await page.locator("[role=alert]", { hasText: "at most 2 MB" }).waitFor();
    await page.fill("#limit", "2 MB");
    await page.click("button >> text=Raise");
    await page.locator("#room", { hasText: "2.00 MB left" }).waitFor();
  });

  await t.step("another login is shown, and can be ended", async () => {
    await using phone = await Person.open({ width: 390 });
    await phone.enter("carol");
    await page.reload();
    await page.getByText(", this one").waitFor();
    await page.click('[action="/account/end"] button');
    await carol.hears("The login has ended");
    await phone.page.reload();
    await phone.page.locator("#password").waitFor();
  });

  await t.step("a token is created, works, and is revoked", async () => {
    await page.fill("#label", "backup");
    await page.click("text=Create a token");
    const token = await page.innerText("#token");
    await carol.shot("account");
    const ask = () =>
      fetch(`${carol.base}/api/v1/quota`, { headers: { authorization: `Bearer ${token}` } });
    const good = await ask();
    assert.equal((await good.json()).limit, 2_000_000);
    await page.click('[action="/account/revoke"] button');
    await carol.hears("revoked");
    const bad = await ask();
    await bad.body?.cancel();
    assert.equal(bad.status, 401);
  });

  await t.step(
    "a limited token shows its limits, and a login with it only what it may",
    async () => {
      await page.fill("#label", "backup");
      await page.click("text=Limits");
      await page.selectOption("#access", "append-only");
      await page.check('[name="doors"][value="http"]');
      await page.fill("#from", "127.0.0.0/8 ::1");
      await page.fill("#expires", "2100-01-31");
      await carol.checkAccess();
      await page.click("text=Create a token");
      const token = await page.innerText("#token");
      await page.getByText("only add new files; through http; from 127.0.0.0/8, ::1").waitFor();
      await using job = await Person.open();
      await job.login("carol", token);
      await job.page.click(".who a");
      await job.page.getByText("You are logged in with a limited token").waitFor();
      assert.equal(await job.page.locator("#label, #old, #limit").count(), 0);
      assert.equal(await job.page.locator(".places >> text=Links").count(), 0);
      await job.checkAccess();
      await page.reload();
      await page.getByText("from 127.0.0.1").waitFor();
      await page.click('[action="/account/revoke"] button');
      await carol.hears("revoked");
      await job.page.reload();
      await job.page.locator("#password").waitFor();
    },
  );

  await t.step("a new password ends all other logins", async () => {
    await using other = await Person.open();
    await other.enter("carol");
    await page.fill("#old", "wrong");
    await page.fill("#new", "new-secret");
    await page.fill("#again", "new-secret");
    await page.click("button >> text=Change the password");
    await page.locator("[role=alert]", { hasText: "old password is wrong" }).waitFor();
    await page.fill("#old", "carol-secret");
    await page.fill("#new", "new-secret");
    await page.fill("#again", "new-secret");
    await page.click("button >> text=Change the password");
    await carol.hears("The password is changed");
    await other.page.reload();
    await other.page.locator("#password").waitFor();
    await page.click("text=Log out");
    await page.getByText("You are logged out").waitFor();
    await carol.login("carol", "new-secret");
  });
});

/** The hidden fields of a page's forms. */
async function formOf(url: string, cookie = ""): Promise<{ csrf: string }> {
  const text = await (await fetch(url, { headers: { cookie } })).text();
  return { csrf: /name="csrf" value="([^"]+)"/.exec(text)![1] };
}

/** Issues a token for the SFTP door. */
async function issueToken(data: string, name: string): Promise<{ token: string }> {
  using db = new Database(data, { durability: "full" });
  const { id } = new Accounts(db).get(name);
  return await new Tokens(db).issue(id, "test", { ...fullScope, doors: ["sftp"] });
}

async function login(base: string) {
  const { csrf } = await formOf(`${base}/login`);
  const response = await fetch(`${base}/login`, {
    method: "POST",
    body: new URLSearchParams({ csrf, name: "alice", password: "alice-secret", back: "" }),
    redirect: "manual",
  });
  await response.body?.cancel();
  assert.equal(response.status, 303);
  const [header] = response.headers.getSetCookie();
  const [cookie] = header.split(";");
  return { header, cookie, ...await formOf(`${base}/files/home/`, cookie) };
}

async function status(base: string, cookie: string): Promise<number> {
  const response = await fetch(`${base}/files/home/`, { headers: { cookie }, redirect: "manual" });
  await response.body?.cancel();
  return response.status;
}

async function post(
  base: string,
  path: string,
  fields: Record<string, string>,
  cookie: string,
  headers: Record<string, string> = {},
): Promise<number> {
  const response = await fetch(base + path, {
    method: "POST",
    body: new URLSearchParams(fields),
    headers: { cookie, ...headers },
    redirect: "manual",
  });
  await response.body?.cancel();
  return response.status;
}

Deno.test("over TLS, the cookie is for this host and TLS only", async () => {
  await using secure = await startServer({
    args: ["--http", "127.0.0.1:0", "--workers", "1", "--tls"],
  });
  await secure.addUser("alice");
  const certificate = await Deno.readTextFile(`${secure.data}/tls/cert.pem`);
  using client = Deno.createHttpClient({ caCerts: [certificate] });
  const url = `https://${secure.facts.http}/login`;
  const text = await (await fetch(url, { client })).text();
  const csrf = /name="csrf" value="([^"]+)"/.exec(text)![1];
  const body = new URLSearchParams({ csrf, name: "alice", password: "alice-secret" });
  const response = await fetch(url, { client, method: "POST", body, redirect: "manual" });
  await response.body?.cancel();
  const [cookie] = response.headers.getSetCookie();
  assert.match(cookie, /^__Host-barge=[\w-]{43};/);
  assert.match(cookie, /; Path=\/; HttpOnly; Secure; SameSite=Strict$/);
});
