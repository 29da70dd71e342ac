/** The second factor on the page, in a browser. */
import assert from "node:assert/strict";
import { codeAt, stepMs } from "../../../../../core/protocol/totp.ts";
import { startServer } from "../../../../_server.ts";
import { Person, server, test } from "./_browser.ts";

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
  await server.addUser("theo");
  await using theo = await Person.open();
  const { page } = theo;
  let secret = "";
  let codes: string[] = [];
  const at = (steps: number) => codeAt(secret, Date.now() + steps * stepMs);

  await t.step("a wrong code or password changes nothing, and keeps the secret", async () => {
    await theo.enter("theo", "/account");
    await page.click("#second-factor a");
    await page.locator("svg[role=img] path").waitFor();
    await theo.checkAccess();
    secret = await page.innerText("#secret");
    await page.fill("#password", "theo-secret");
    await send(theo, "000000");
    await page.locator(".note.bad", { hasText: "not one of this secret now" }).waitFor();
    await page.fill("#password", "wrong-secret");
    await send(theo, at(0));
    await page.locator(".note.bad", { hasText: "The password is wrong" }).waitFor();
    assert.equal(await page.innerText("#secret"), secret);
  });

  await t.step("a right one shows recovery codes, and the browser stays logged in", async () => {
    await page.fill("#password", "theo-secret");
    await send(theo, at(-1));
    await heading(theo, "The second factor is enabled");
    codes = (await page.innerText("#codes")).split("\n");
    assert.equal(codes.length, 10);
    await theo.checkAccess();
    await page.click("a.main");
    await page.locator("#second-factor", { hasText: "10 recovery codes left" }).waitFor();
    await theo.checkAccess();
  });

  await t.step("a login asks for the code in a second step", async () => {
    await using other = await Person.open();
    await begin(other, "theo");
    await other.page.waitForSelector("#code");
    await other.checkAccess();
    assert.doesNotMatch(await other.page.content(), /theo-secret/);
    await send(other, "000000");
    const hint = /^The code is wrong.*compare the clock of its device with the server's\)\.$/;
    await other.page.locator(".note.bad", { hasText: hint }).waitFor();
    const code = at(0);
    await send(other, code);
    await other.page.waitForSelector(".side");
    await other.page.context().clearCookies();
    await begin(other, "theo");
    await send(other, code);
    await other.page.locator(".note.bad", { hasText: "was used before" }).waitFor();
    await send(other, codes[0]);
    await other.page.waitForSelector(".side");
  });

  await t.step("the password is changed with a code", async () => {
    await page.goto(`${theo.base}/account`);
    await page.fill("#old", "theo-secret");
    await page.fill("#new", "theo-second");
    await page.fill("#again", "theo-second");
    await page.fill("#password-code", "000000");
    await page.click("form[action='/account/password'] button[type=submit]");
    await page.locator(".note.bad", { hasText: "The old password or the code is wrong" }).waitFor();
    await page.fill("#old", "theo-secret");
    await page.fill("#new", "theo-secret");
    await page.fill("#again", "theo-secret");
    await page.fill("#password-code", codes[1]);
    await page.click("form[action='/account/password'] button[type=submit]");
    await theo.hears("The password is changed");
  });

  await t.step("new recovery codes replace the old ones, and a code disables it", async () => {
    await page.fill("#factor-password", "theo-secret");
    await page.fill("#factor-code", codes[2]);
    await page.click("#second-factor button:has-text('New recovery codes')");
    await heading(theo, "Recovery codes");
    const fresh = (await page.innerText("#codes")).split("\n");
    await page.goto(`${theo.base}/account`);
    for (const code of [codes[3], fresh[0]]) {
      await page.goto(`${theo.base}/account`);
      await page.fill("#factor-password", "theo-secret");
      await page.fill("#factor-code", code);
      await page.click("#second-factor button:has-text('Disable')");
      if (code === codes[3]) await page.locator(".note.bad", { hasText: "wrong" }).waitFor();
    }
    await theo.hears("The second factor is disabled");
    await page.locator("#second-factor a", { hasText: "Enable" }).waitFor();
  });
});

test("a login enables a second factor where the role requires one; an admin removes it", async () => {
  await using strict = await startServer({
    args: ["--http", "127.0.0.1:0", "--require-totp", "user"],
  });
  await strict.addUser("bob");
  await strict.addUser("anna");
  await strict.changeUser("anna", { role: "admin" });
  await using bob = await Person.open({ server: strict });
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

  await using anna = await Person.open({ server: strict });
  await anna.enter("anna", "/admin/accounts");
  await anna.page.locator("li", { hasText: "bob" }).locator("text=second factor").waitFor();
  await anna.page.goto(`${anna.base}/admin/accounts/bob`);
  await anna.checkAccess();
  await anna.page.click("button[aria-label='Remove the second factor']");
  await anna.hears("The account is changed");
  await page.goto(`${bob.base}/files/home/`);
  await page.waitForSelector("#name"); // it must enable one again
});
