/** Tests share links on the page: their owner's dialogs, and a visitor. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { sha256 } from "../../../_setup.ts";
import { Accounts } from "../../../../../core/local/account/accounts.ts";
import { Tokens } from "../../../../../core/local/account/tokens.ts";
import { Database } from "../../../../../core/local/database/database.ts";
import { dayMs } from "../../../../../core/duration.ts";
import { fullScope } from "../../../../../core/storage/scope.ts";
import { password, Person, server, test } from "./_browser.ts";

test("a user shares a file, and a visitor downloads it", async () => {
  await server.addUser("olga", { password });
  const content = new Uint8Array(randomBytes(300_000));
  await Deno.mkdir(`${server.data}/homes/olga`, { recursive: true });
  await Deno.writeFile(`${server.data}/homes/olga/photo.bin`, content);
  await using owner = await Person.open();
  await using stranger = await Person.open({ width: 390, scheme: "dark" });
  const { page } = owner;
  await owner.enter("olga", "/about/home/photo.bin");
  await page.click("text=Share");
  await page.locator("dialog h1", { hasText: "Share “photo.bin”" }).waitFor();
  await page.fill("#most", "2");
  await page.fill("#link-password", "sesame");
  await owner.checkAccess();
  await page.click("dialog button[type=submit]");
  const url = await page.locator("dialog #link").innerText();
  await owner.checkAccess();
  await owner.shot("link-made");
  await page.click("dialog >> text=All links");
  await page.locator(".item", { hasText: "0 of 2 downloads" }).waitFor();
  await owner.checkAccess();
  await owner.shot("links");

  await stranger.page.goto(url);
  await stranger.page.fill("#password", "sesame");
  await stranger.checkAccess();
  await stranger.page.click("text=Open");
  await stranger.page.locator("h1", { hasText: "photo.bin" }).waitFor();
  await stranger.checkAccess();
  await stranger.shot("shared");
  const downloading = stranger.page.waitForEvent("download");
  await stranger.page.click("text=Download");
  const got = await Deno.readFile(await (await downloading).path());
  assert.equal(sha256(got), sha256(content));

  await page.reload();
  await page.locator(".item", { hasText: "1 of 2 downloads" }).waitFor();
  await page.click("text=Revoke");
  await owner.hears("The link is revoked");
  await page.getByText("No links yet").waitFor();
  await stranger.page.reload();
  await stranger.page.getByText("This link is not valid").waitFor();
  await stranger.checkAccess();
});

test("a login with a token offers no link that outlives the token", async () => {
  await server.addUser("paula", { password });
  await Deno.mkdir(`${server.data}/homes/paula`, { recursive: true });
  await Deno.writeTextFile(`${server.data}/homes/paula/f`, "f");
  for (
    const [days, offered] of [
      [3, ["in an hour", "in a day", "with the token of this login"]],
      [9, ["in an hour", "in a day", "in a week"]],
    ] as const
  ) {
    await using owner = await Person.open();
    const { page } = owner;
    await owner.login("paula", await issueToken("paula", Date.now() + days * dayMs));
    await page.goto(`${owner.base}/links/new?path=/home/f`);
    assert.deepEqual(await page.locator("#life option").allInnerTexts(), offered);
    assert.equal(await page.locator("#life option:checked").innerText(), offered[2]);
    await page.click("main button[type=submit]");
    assert.match(await page.locator("#link").innerText(), /\/s\//);
  }
});

/** Issues a token of an account with an end, in ms since 1970. */
async function issueToken(name: string, expires: number): Promise<string> {
  using db = new Database(server.data);
  const { id } = new Accounts(db).get(name);
  return (await new Tokens(db).issue(id, "test", { ...fullScope, expires })).token;
}
