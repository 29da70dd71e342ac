/** Tests files on the page, in a browser. */
import assert from "node:assert/strict";
import { startServer } from "../../../../_server.ts";
import { randomBytes } from "node:crypto";
import { sha256 } from "../../../_setup.ts";
import { Person, server, test } from "./_browser.ts";

test("a user uploads, views, changes, publishes and downloads files", async (t) => {
  await server.addUser("alice", { quota: "3MB" });
  await server.addUser("bob", { quota: "1MB" });
  await using local = await folder();
  await using alice = await Person.open();
  const { page } = alice;

  await t.step(
    "a wrong password is reported, the right one leads to the requested page",
    async () => {
      await page.goto(`${alice.base}/about/home/x?y=1`);
      await page.fill("#name", "alice");
      await page.fill("#password", "wrong");
      await page.click("button[type=submit]");
      await page.locator("[role=alert]", { hasText: "name or the password is wrong" }).waitFor();
      await alice.checkAccess();
      await alice.shot("login");
      await page.fill("#password", "alice-secret");
      await page.click("button[type=submit]");
      await page.waitForURL("**/about/home/x?y=1");
      await page.click("text=To your home");
      await page.getByText("Nothing here yet").waitFor();
      await alice.checkAccess();
      const [cookie] = await alice.context.cookies();
      assert.deepEqual(
        [cookie.name, cookie.httpOnly, cookie.sameSite, cookie.secure],
        ["barge", true, "Strict", false],
      );
    },
  );

  await t.step("dropped files and folders are uploaded, and the quota meter changes", async () => {
    assert.match(await page.innerText("#room"), /3\.00 MB left/);
    await alice.drop(local.path("hello.txt"), local.path("trip"));
    await alice.hears("4 files uploaded");
    await alice.sees("trip");
    await alice.sees("hello.txt");
    await page.locator("#room", { hasText: "2.60 MB left" }).waitFor();
    assert.deepEqual(await alice.names(), ["trip", "hello.txt"]);
    assert.equal(Deno.readTextFileSync(`${server.data}/homes/alice/trip/day 1/ü&.txt`), "ü");
    await alice.shot("dropped");
    await page.click("text=Clear");
  });

  await t.step("a file above the quota is refused before it is sent", async () => {
    await alice.upload(local.path("big.bin"));
    await page.locator(".transfers li.bad", { hasText: "needs 24.0 MB, 2.60 MB are available" })
      .waitFor();
    await alice.shot("over-quota");
    await alice.checkAccess();
    await page.click('.transfers [data-act="cancel"]');
    assert.match(await page.innerText("#room"), /2\.60 MB left/);
    await alice.sees("big.bin", false);
  });

  await t.step("the page asks before it replaces a file", async () => {
    await alice.upload(local.path("again/hello.txt"));
    const row = page.locator(".transfers li", { hasText: "already" });
    await row.getByText("Keep both").click();
    await alice.sees("hello (new).txt");
    await alice.upload(local.path("again/hello.txt"));
    await row.getByText("Replace").click();
    await alice.hears(/uploaded/i);
    await page.click("text=Clear");
    assert.equal(Deno.readTextFileSync(`${server.data}/homes/alice/hello.txt`), "hello again");
  });

  await t.step("a chosen folder is uploaded", async () => {
    await page.click("#new-folder");
    await page.fill("dialog #to", "chosen");
    await page.keyboard.press("Enter");
    await alice.hears("The folder is created");
    await page.click("text=chosen");
    await page.getByText("Nothing here yet").waitFor();
    await alice.upload(local.path("trip"), "folder");
    await alice.sees("trip");
    await page.click("text=Clear");
    await page.click(".crumbs >> text=Home");
    await alice.sees("chosen");
  });

  await t.step("a folder can be sorted, filtered and used by the keyboard", async () => {
    await page.click("th >> text=Size");
    await page.waitForURL("**/?sort=size");
    assert.deepEqual(await alice.names(), ["chosen", "trip", "hello (new).txt", "hello.txt"]);
    await page.locator("body").press("/");
    await page.keyboard.type("NEW");
    await alice.sees("trip", false);
    assert.deepEqual(await alice.names(), ["hello (new).txt"]);
    await page.keyboard.press("Escape");
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Delete");
    await page.locator("dialog", { hasText: "Delete “hello (new).txt”?" }).waitFor();
    await alice.checkAccess();
    await page.keyboard.press("Enter");
    await alice.hears("Deleted 1 item");
    await alice.sees("trip");
  });

  await t.step("a text is shown with its digest, and its download has the same bytes", async () => {
    await page.click("text=hello.txt");
    await page.locator("pre", { hasText: "hello again" }).waitFor();
    const text = new TextEncoder().encode("hello again");
    assert.equal((await page.innerText("#sha256")).trim(), sha256(text));
    await alice.checkAccess();
    await alice.shot("text");
    const download = page.waitForEvent("download");
    await page.click(".verbs .main");
    const path = await (await download).path();
    assert.deepEqual(Deno.readFileSync(path), text);
  });

  await t.step(
    "a file is renamed, moved into a folder, published, and claimed by another account",
    async () => {
      await page.click('.verbs [formaction="/do/rename"]');
      await page.fill("dialog #to", "greeting.txt");
      await page.keyboard.press("Enter");
      await alice.sees("greeting.txt");
      await page.check('input[value="greeting.txt"]');
      await page.click("[data-verb=move]");
      await page.locator("dialog .folders >> text=trip").click();
      await page.click("dialog >> text=Move to trip");
      await alice.hears("Moved 1 item");
      await page.click("td.dir >> text=trip");
      await alice.sees("greeting.txt");
      await page.check('input[value="greeting.txt"]');
      await page.click("[data-verb=publish]");
      await page.locator("dialog", { hasText: "Everyone with an account" }).waitFor();
      await alice.shot("publish");
      await page.click("dialog >> text=Publish to Public");
      await alice.hears("Published 1 item");
      await using bob = await Person.open();
      await bob.enter("bob");
      await bob.page.click("text=Public");
      await bob.sees("greeting.txt");
      await bob.page.check('input[value="greeting.txt"]');
      await bob.page.click("[data-verb=delete]");
      await bob.page.click("dialog .bad");
      await bob.page.locator("dialog [role=alert]", { hasText: "belongs to alice" }).waitFor();
      await bob.page.keyboard.press("Escape");
      await bob.page.click("[data-verb=claim]");
      await bob.page.click("dialog >> text=Claim to Home");
      await bob.hears("Claimed 1 item");
      await bob.page.click(".places >> text=Home");
      await bob.sees("greeting.txt");
      await bob.page.locator('#room[data-left="999989"]').waitFor();
    },
  );

  await t.step("a folder is downloaded as a zip", async () => {
    await page.click(".places >> text=Home");
    const download = page.waitForEvent("download");
    await page.click('[aria-label="Download trip"]');
    const done = await download;
    assert.equal(done.suggestedFilename(), "trip.zip");
    const listed = await new Deno.Command("python3", {
      args: ["-m", "zipfile", "-l", await done.path()],
    }).output();
    assert.match(new TextDecoder().decode(listed.stdout), /trip\/day 1\/ü&\.txt/);
  });
});

test("an upload is paused, survives a killed server, and is resumed", async (t) => {
  const data = await Deno.makeTempDir({ prefix: "barge-page-" });
  const args = ["--http", "127.0.0.1:0", "--workers", "1"];
  await using local = await folder();
  const bytes = Deno.readFileSync(local.path("big.bin"));
  await using first = await startServer({ data, args: [...args, "--rate-up", "4MB"] });
  await first.addUser("alice");
  await using alice = await Person.open({ server: first });
  const { page } = alice;
  const row = page.locator(".transfers li", { hasText: "big.bin" });
  const beyond = (bytes: RegExp) => row.locator(".how", { hasText: bytes }).waitFor();
  const progress = async () => Number(await row.locator("progress").getAttribute("value"));

  await t.step("an upload can be paused", async () => {
    await alice.enter("alice");
    await alice.drop(local.path("big.bin"));
    await beyond(/^\d+\.\d+ MB of/);
    await row.getByRole("button", { name: "Pause" }).click();
    await row.getByText("paused").waitFor();
    await alice.shot("paused");
    await row.getByRole("button", { name: "Resume" }).click();
    await beyond(/^\d+\.\d+ MB of .*left$/);
  });

  await t.step(
    "after a reload, another file is refused, and the same one is resumed",
    async () => {
      await first.kill("SIGKILL");
      await using second = await startServer({ data, args });
      alice.base = `http://${second.facts.http}`;
      await page.goto(`${alice.base}/files/home/`);
      await row.getByText("uploaded").waitFor();
      assert.ok(await progress() > 0.1);
      await alice.shot("half");
      await alice.checkAccess();
      await choose(local.path("other.bin"));
      await alice.hears("That is another file");
      await choose(local.path("big.bin"));
      await alice.hears("Uploaded");
      await alice.sees("big.bin");
      const arrived = Deno.readFileSync(`${data}/homes/alice/big.bin`);
      assert.equal(sha256(arrived), sha256(bytes));
    },
  );

  await Deno.remove(data, { recursive: true });

  async function choose(file: string) {
    const chooser = page.waitForEvent("filechooser");
    await row.getByText("Choose the file again").click();
    await (await chooser).setFiles(file);
  }
});

/** Makes files on this machine. */
async function folder() {
  const root = await Deno.makeTempDir({ prefix: "barge-own-" });
  const path = (name: string) => `${root}/${name}`;
  for (const dir of ["trip/day 1", "again"]) await Deno.mkdir(path(dir), { recursive: true });
  await Deno.writeTextFile(path("hello.txt"), "hello");
  await Deno.writeTextFile(path("again/hello.txt"), "hello again");
  await Deno.writeTextFile(path("trip/day 1/ü&.txt"), "ü");
  await Deno.writeFile(path("trip/a.bin"), new Uint8Array(200_000));
  await Deno.writeFile(path("trip/b.bin"), new Uint8Array(200_000));
  await Deno.writeFile(path("big.bin"), randomBytes(24_000_000));
  await Deno.writeFile(path("other.bin"), randomBytes(24_000_000));
  return { path, [Symbol.asyncDispose]: () => Deno.remove(root, { recursive: true }) };
}
