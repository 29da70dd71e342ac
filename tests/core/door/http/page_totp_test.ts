/** The second factor on the page, in a browser. */
import assert from "node:assert/strict";
import { codeAt, stepMs } from "../../../../core/protocol/totp.ts";
import { startServer } from "../../../_server.ts";
import { openBrowser, Person, test } from "./_browser.ts";

/** Waits until the page has a heading. */
async function heading({ page }: Person, text: string): Promise<void> {
  await page.locator("h1", { hasText: text }).waitFor();
}

/** Takes the first step of a login. */
async function begin({ page, base }: Person, name: string): Promise<void> {
  await page.goto(`${base}/login`);
  await page.fill("#name", name);
  await page.fill("#password", `${name}-secret`);
  await page.click("button[type=submit]");
}

/** Sends a code in the second step. */
async function send({ page }: Person, code: string): Promise<void> {
  await page.fill("#code", code);
  await page.click("form.card button.main");
}

test("the page enables a second factor, asks for its code, and disables it", async (t) => {
  await using server = await startServer({ args: ["--http", "127.0.0.1:0"] });
  await server.addUser("alice");
  await using browser = await openBrowser();
  await using alice = await Person.open(browser, server);
  const { page } = alice;
  let secret = "";
  let codes: string[] = [];
  const at = (steps: number) => codeAt(secret, Date.now() + steps * stepMs);

  await t.step("a wrong code or password changes nothing, and keeps the secret", async () => {
    await alice.login("alice");
    await page.goto(`${alice.base}/account`);
    await page.click("#second-factor a");
    await page.locator("svg[role=img] path").waitFor();
    await alice.checkAccess();
    secret = await page.innerText("#secret");
    await page.fill("#password", "alice-secret");
    await send(alice, "000000");
    await page.locator(".note.bad", { hasText: "not one of this secret now" }).waitFor();
    await page.fill("#password", "wrong-secret");
    await send(alice, at(0));
    await page.locator(".note.bad", { hasText: "The password is wrong" }).waitFor();
    assert.equal(await page.innerText("#secret"), secret);
  });

  await t.step("a right one shows recovery codes, and the browser stays logged in", async () => {
    await page.fill("#password", "alice-secret");
    await send(alice, at(-1));
    await heading(alice, "The second factor is enabled");
    codes = (await page.innerText("#codes")).split("\n");
    assert.equal(codes.length, 10);
    await alice.checkAccess();
    await page.click("a.main");
    await page.locator("#second-factor", { hasText: "10 recovery codes left" }).waitFor();
    await alice.checkAccess();
  });

  await t.step("a login asks for the code in a second step", async () => {
    await using other = await Person.open(browser, server);
    await begin(other, "alice");
    await other.page.waitForSelector("#code");
    await other.checkAccess();
    assert.doesNotMatch(await other.page.content(), /alice-secret/);
    await send(other, "000000");
    const hint = /^The code is wrong.*compare the clock of its device with the server's\)\.$/;
    await other.page.locator(".note.bad", { hasText: hint }).waitFor();
    const code = at(0);
    await send(other, code);
    await other.page.waitForSelector(".side");
    await other.page.context().clearCookies();
    await begin(other, "alice");
    await send(other, code);
    await other.page.locator(".note.bad", { hasText: "was used before" }).waitFor();
    await send(other, codes[0]);
    await other.page.waitForSelector(".side");
  });

  await t.step("the password is changed with a code", async () => {
    await page.goto(`${alice.base}/account`);
    await page.fill("#old", "alice-secret");
    await page.fill("#new", "alice-second");
    await page.fill("#again", "alice-second");
    await page.fill("#password-code", "000000");
    await page.click("form[action='/account/password'] button[type=submit]");
    await page.locator(".note.bad", { hasText: "The old password or the code is wrong" }).waitFor();
    await page.fill("#old", "alice-secret");
    await page.fill("#new", "alice-secret");
    await page.fill("#again", "alice-secret");
    await page.fill("#password-code", codes[1]);
    await page.click("form[action='/account/password'] button[type=submit]");
    await alice.hears("The password is changed");
  });

  await t.step("new recovery codes replace the old ones, and a code disables it", async () => {
    await page.fill("#factor-password", "alice-secret");
    await page.fill("#factor-code", codes[2]);
    await page.click("#second-factor button:has-text('New recovery codes')");
    await heading(alice, "Recovery codes");
    const fresh = (await page.innerText("#codes")).split("\n");
    await page.goto(`${alice.base}/account`);
    for (const code of [codes[3], fresh[0]]) {
      await page.goto(`${alice.base}/account`);
      await page.fill("#factor-password", "alice-secret");
      await page.fill("#factor-code", code);
      await page.click("#second-factor button:has-text('Disable')");
      if (code === codes[3]) await page.locator(".note.bad", { hasText: "wrong" }).waitFor();
    }
    await alice.hears("The second factor is disabled");
    await page.locator("#second-factor a", { hasText: "Enable" }).waitFor();
  });
});

test("a login enables a second factor where the role requires one; an admin removes it", async () => {
  await using server = await startServer({
    args: ["--http", "127.0.0.1:0", "--require-totp", "user"],
  });
  await server.addUser("bob");
  await server.addUser("anna");
  await server.changeUser("anna", { role: "admin" });
  await using browser = await openBrowser();
  await using bob = await Person.open(browser, server);
  const { page } = bob;
  await begin(bob, "bob");
  await heading(bob, "Enable a second factor");
  await bob.checkAccess();
  const secret = await page.innerText("#secret");
  await page.goto(`${bob.base}/files/home/`);
  await page.waitForSelector("#name"); // it is not logged in
  await begin(bob, "bob");
  const own = await page.innerText("#secret");
  assert.notEqual(own, secret);
  await send(bob, "000000");
  await page.locator(".note.bad", { hasText: "not one of this secret now" }).waitFor();
  assert.equal(await page.innerText("#secret"), own);
  await send(bob, codeAt(own, Date.now()));
  await heading(bob, "The second factor is enabled");
  await page.click("a.main");
  await page.waitForSelector(".side");

  await using anna = await Person.open(browser, server);
  await anna.login("anna");
  await anna.page.goto(`${anna.base}/admin/accounts`);
  await anna.page.locator("li", { hasText: "bob" }).locator("text=second factor").waitFor();
  await anna.page.goto(`${anna.base}/admin/accounts/bob`);
  await anna.checkAccess();
  await anna.page.click("button[aria-label='Remove the second factor']");
  await anna.hears("The account is changed");
  await page.goto(`${bob.base}/files/home/`);
  await page.waitForSelector("#name"); // it must enable one again
});
