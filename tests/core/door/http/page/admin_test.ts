/** Tests the admin pages: their functions, and that only admins can use them. */
import assert from "node:assert/strict";
import { Audit } from "../../../../../core/local/account/audit.ts";
import { Database } from "../../../../../core/local/database/database.ts";
import { startServer } from "../../../../_server.ts";
import { basic } from "../_client.ts";
import { Person, test } from "./_browser.ts";

test("an admin manages accounts, connections and bans", async (t) => {
  await using server = await startServer({
    args: [
      ...["--http", "127.0.0.1:0", "--workers", "2", "--durability", "relaxed"],
      ...["--ban-after", "2"],
    ],
  });
  await server.addUser("alice", { quota: "3MB" });
  await server.addUser("root", { password: "anna-secret" });
  await server.changeUser("root", { role: "admin" });
  const base = `http://${server.facts.http}`;
  const status = async (path: string, init: RequestInit = {}) => {
    const response = await fetch(base + path, { redirect: "manual", ...init });
    await response.arrayBuffer(); // to its end, so that its bytes are counted
    return response.status;
  };
  await using root = await Person.open({ server });
  const { page } = root;
  await root.enter("root");

  await t.step("an added account can log in", async () => {
    await page.click("nav >> text=Admin");
    await page.click(".tabs >> text=Accounts");
    await page.click("text=Add");
    await page.fill("dialog #name", "carol");
    await page.fill("dialog #limit", "much");
    await page.fill("dialog #new", "carol-secret");
    await page.fill("dialog #again", "carol-secret");
    await page.click("dialog button[type=submit]");
    await page.locator("dialog [role=alert]", { hasText: "that is not a size" }).waitFor();
    await root.checkAccess();
    await page.fill("dialog #limit", "2 MB");
    await page.fill("dialog #new", "carol-secret");
    await page.fill("dialog #again", "carol-secret");
    await page.click("dialog button[type=submit]");
    await root.hears("The account is created");
    const row = page.locator(".item", { hasText: "carol" });
    await row.getByText("of 2.00 MB").waitFor();
    await row.getByText("Never logged in").waitFor();
    await root.checkAccess();
    const headers = basic("carol");
    const body = new Uint8Array(1_000_000);
    assert.equal(await status("/api/v1/files/home/x", { method: "PUT", headers, body }), 201);
    assert.equal(await status("/api/v1/files/home/x", { headers }), 200);
    await page.reload();
    await row.getByText("1.00 MB").waitFor();
    await row.getByText("Last login:").waitFor();
    await root.shot("accounts");
  });

  await t.step("its quota and its role can be changed", async () => {
    await page.click("text=carol");
    await page.fill("#limit", "5 MB");
    await page.click("form[action$=limit] button");
    await root.hears("The account is changed");
    await page.getByText("of 5.00 MB").waitFor();
    await root.checkAccess();
    await root.shot("account");
    await page.click("button >> text=Disable");
    await page.locator(".tag", { hasText: "disabled" }).waitFor();
    assert.equal(await status("/api/v1/quota", { headers: basic("carol") }), 401);
    await page.click("button >> text=Enable");
    await page.locator("button", { hasText: "Disable" }).waitFor();
    await page.fill("#new", "new-secret");
    await page.fill("#again", "another-secret");
    await page.click("form[action$=password] button");
    await root.hears("the two passwords differ");
    await page.goto(`${base}/admin/accounts/carol`);
    await page.fill("#new", "new-secret");
    await page.fill("#again", "new-secret");
    await page.click("form[action$=password] button");
    await root.hears("The account is changed");
    assert.equal(await status("/api/v1/quota", { headers: basic("carol", "new-secret") }), 200);
  });

  await t.step("it can have an end, and networks that it may log in from", async () => {
    const carol = () => status("/api/v1/quota", { headers: basic("carol", "new-secret") });
    await page.fill("#expires", "soon");
    await page.click("form[action$=access] button");
    await root.hears("that is not a day");
    await page.goto(`${base}/admin/accounts/carol`);
    await page.fill("#expires", "2020-01-31");
    await page.fill("#from", "127.0.0.0/8, ::1");
    await page.click("form[action$=access] button");
    await page.locator(".tag", { hasText: "expired" }).waitFor();
    assert.equal(await page.inputValue("#expires"), "2020-01-31");
    assert.equal(await page.inputValue("#from"), "127.0.0.0/8 ::1");
    await root.checkAccess();
    assert.equal(await carol(), 401);
    await page.fill("#expires", "none");
    await page.click("form[action$=access] button");
    await page.locator(".tag", { hasText: "expired" }).waitFor({ state: "detached" });
    assert.equal(await carol(), 200);
  });

  await t.step("it is removed, and its home is kept", async () => {
    await page.click("text=Remove");
    await page.locator("dialog", { hasText: "It has 1 file, 1.00 MB" }).waitFor();
    await root.checkAccess();
    await page.click("dialog button[type=submit]");
    await root.hears("The account is removed");
    assert.equal(await page.locator(".item", { hasText: "carol" }).count(), 0);
    const [kept] = Array.from(Deno.readDirSync(`${server.data}/removed`), ({ name }) => name);
    assert.match(kept, /^carol-/);
    assert.equal(Deno.statSync(`${server.data}/removed/${kept}/x`).size, 1_000_000);
  });

  await t.step("the overview has the traffic as a chart and as a table", async () => {
    await page.click(".tabs >> text=Overview");
    const chart = page.locator("svg.chart");
    await chart.waitFor();
    const words = await chart.getAttribute("aria-label");
    assert.match(words ?? "", /In the last hour, 1\.00 MB received, .*1\.00 MB sent/);
    assert.equal(await page.locator(".plot path.line").count(), 2);
    await page.click("text=As a table");
    await page.locator("td", { hasText: "1.00 MB" }).first().waitFor();
    await root.checkAccess();
    await root.shot("overview");
    await page.click("text=Last day");
    await page.waitForURL("**/admin?span=day");
    await page.getByText("24 h ago").waitFor();
  });

  await t.step("a transfer is shown while it runs, without a reload", async () => {
    await page.click(".tabs >> text=Connections");
    await page.getByText("No file is being transferred").waitFor();
    const going = new TransformStream<Uint8Array, Uint8Array>();
    const writer = going.writable.getWriter();
    const sent = status("/api/v1/files/home/slow.bin", {
      method: "PUT",
      headers: basic("alice"),
      body: going.readable,
    });
    await writer.write(new Uint8Array(70_000));
    const row = page.locator("li", { hasText: "/home/slow.bin" });
    await row.getByText("alice, http").waitFor();
    await root.checkAccess();
    await root.shot("connections");
    await writer.close();
    assert.equal(await sent, 201);
  });

  await t.step("a ban is shown, and can be lifted", async () => {
    for (const password of ["no", "neither"]) {
      assert.equal(await status("/api/v1/quota", { headers: basic("alice", password) }), 401);
    }
    await page.click(".tabs >> text=Bans");
    await page.getByText("alice at 127.0.0.1").waitFor();
    await root.checkAccess();
    await page.click("text=Lift");
    await root.hears("Lifted 1 ban");
    await page.getByText("Nobody is banned").waitFor();
    assert.equal(await status("/api/v1/quota", { headers: basic("alice") }), 200);
  });

  await t.step("the audit trail is shown, of all accounts and of one, in pages", async () => {
    await page.click(".tabs >> text=Audit");
    const item = (text: string) => page.locator("#audit li", { hasText: text });
    await item("ban-lifted alice by root").first().waitFor();
    await item("login-failed alice").first().waitFor();
    await root.checkAccess();
    await root.shot("audit");
    await page.fill("#account", "carol");
    await page.click("#audit button");
    await item("account-removed carol by root").waitFor();
    await item("account-added carol by root").waitFor();
    assert.equal(await item("alice").count(), 0);
    using db = new Database(server.data);
    const audit = new Audit(db);
    const by = { account: "root", address: "192.0.2.7", door: "http" };
    for (let i = 0; i < 60; i++) {
      audit.add({ event: "account-changed", account: "carol", by, details: { number: i } });
    }
    await page.reload();
    await item("number: 59").waitFor();
    assert.equal(await item("number: 9").count(), 0);
    await page.click("text=Older");
    await item("number: 9").waitFor();
    await item("account-added carol by root").waitFor();
    assert.equal(await page.inputValue("#account"), "carol");
  });

  await t.step("no admin changes their own role, and no other site changes any", async () => {
    const login = await root.context.cookies();
    const cookie = login.map(({ name, value }) => `${name}=${value}`).join("; ");
    await page.goto(`${base}/admin/accounts/root`);
    await page.getByText("This is your account").waitFor();
    const csrf = await page.locator("[name=csrf]").first().inputValue();
    const post = (path: string, fields: Record<string, string>, headers = {}) =>
      status(path, {
        method: "POST",
        headers: { cookie, ...headers },
        body: new URLSearchParams(fields),
      });
    for (const change of ["disabled", "role", "password", "remove"]) {
      assert.equal(await post(`/admin/accounts/root/${change}`, { csrf, disabled: "yes" }), 400);
    }
    const quota = "/admin/accounts/alice/limit";
    assert.equal(await post(quota, { limit: "none" }), 403);
    const foreign = { origin: "http://elsewhere.test" };
    assert.equal(await post(quota, { csrf, limit: "none" }, foreign), 403);
    assert.equal(await post("/admin/accounts/nobody/limit", { csrf, limit: "none" }), 404);
    assert.equal(await post(quota, { csrf, limit: "none" }), 303);
  });

  await t.step(
    "only admins see it; it works without scripts, on a phone and with the dark theme",
    async () => {
      await using phone = await Person.open({
        ...{ server, width: 390, scheme: "dark", script: false },
      });
      await phone.enter("root", "/admin");
      await phone.page.locator("svg.chart").waitFor();
      const { scroll, shown } = await phone.page.locator("html").evaluate((html) => ({
        scroll: html.scrollWidth,
        shown: html.clientWidth,
      }));
      assert(scroll <= shown, `the page is ${scroll} px wide, of ${shown}`);
      await phone.shot("overview-phone");
      await phone.page.click("text=Accounts");
      await phone.page.click("text=Add");
      await phone.page.fill("#name", "dave");
      await phone.page.fill("#new", "dave-secret");
      await phone.page.fill("#again", "dave-secret");
      await phone.page.click("main form button[type=submit]");
      await phone.page.locator(".item", { hasText: "dave" }).waitFor();

      await phone.context.clearCookies();
      await phone.enter("alice");
      assert.equal(await phone.page.getByText("Admin").count(), 0);
      const lists = ["accounts", "connections", "bans", "audit"].map((list) => `/admin/${list}`);
      for (const path of ["/admin", ...lists]) {
        assert.equal((await phone.page.goto(base + path))?.status(), 403, path);
      }
      assert.equal(await status("/admin"), 303);
    },
  );
});
