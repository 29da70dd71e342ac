/** Tests the page behind a real nginx, as docs/proxy.md has it. */
import assert from "node:assert/strict";
import { behind } from "../../../../cli/_behind_nginx.ts";
import { has } from "../../../../cli/_sftp.ts";
import { Person, test } from "./_browser.ts";

test("the page in a browser, below a path and over TLS at nginx", async () => {
  await using it = await behind("/files");
  const { url, server } = it;
  await using bob = await Person.open({ server });
  bob.base = url;
  await bob.login("bob"); // whose home is empty
  const { page } = bob;
  const cookies = await bob.context.cookies();
  const login = cookies.find(({ name }) => name === "__Secure-barge")!;
  assert.deepEqual([login.path, login.secure, login.httpOnly], ["/files", true, true]);
  await Deno.writeTextFile(`${server.data}/hello.txt`, "hello");
  await bob.upload(`${server.data}/hello.txt`);
  await bob.hears("Uploaded");
  await bob.sees("hello.txt");
  await page.click("#new-folder");
  await page.fill("dialog #to", "box");
  await page.click("dialog [data-default]");
  await bob.sees("box");
  await page.click('.list .name a:has-text("box")');
  await page.waitForURL(`${url}/files/home/box/`);
  await page.goBack();
  await page.click('.list a[aria-label="More about hello.txt"]');
  await page.waitForURL(`${url}/about/home/hello.txt`);
  await page.click("a:has-text('Share')");
  await page.click("dialog [data-default]");
  const link = await page.locator("#link").textContent();
  assert.ok(link!.startsWith(`${url}/s/`), link!);
  await page.goto(`${url}/files/home/`);
  await page.locator('.list .pick input[value="hello.txt"]').check();
  await page.keyboard.press("Delete");
  await page.click("dialog [data-default]");
  await bob.sees("hello.txt", false);
  await page.click(".places a:has-text('Links')");
  await page.waitForURL(`${url}/links`);
  await page.click(".who a");
  await page.waitForURL(`${url}/account`);
  await page.click("button:has-text('Log out')");
  await page.waitForURL(/\/files\/login/);
}, ["nginx", "python3"].filter((program) => !has(program)));
