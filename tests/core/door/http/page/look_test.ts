/** Tests how the page looks, is accessible, and shows uploaded files. */
import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";
import { password, Person, server, test } from "./_browser.ts";

const pdf = `%PDF-1.4
1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj
2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj
3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 100]>>endobj
trailer<</Root 1 0 R>>
`;
/** One black pixel. */
const png = Uint8Array.from(
  atob(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg==",
  ),
  (c) => c.charCodeAt(0),
);
const evil = `<script>fetch("/account").then(() => document.title = "owned")</script>`;

test("files are shown safely, on an accessible page", async (t) => {
  await server.addUser("lucy", { password });
  const home = `${server.data}/homes/lucy`;
  await Deno.mkdir(`${home}/music`, { recursive: true });
  await Deno.writeTextFile(`${home}/evil.html`, `<h1>hi</h1>${evil}`);
  await Deno.writeTextFile(
    `${home}/evil.svg`,
    `<svg xmlns="http://www.w3.org/2000/svg" width="80" height="60"><rect width="80" height="60"/>${evil}</svg>`,
  );
  await Deno.writeFile(`${home}/dot.png`, png);
  await Deno.writeTextFile(`${home}/paper.pdf`, pdf);
  await Deno.writeFile(`${home}/silence.wav`, wav());
  await Deno.writeTextFile(`${home}/<img src=x onerror=alert(1)>.txt`, "x");
  await using lucy = await Person.open();
  const { page } = lucy;
  const open = (name: string) => page.goto(`${lucy.base}/about/home/${encodeURIComponent(name)}`);

  await t.step("HTML is shown as text, and downloaded as a file", async () => {
    await lucy.enter("lucy", "/about/home/evil.html");
    await page.locator("pre", { hasText: "<script>" }).waitFor();
    const { headers, status } = await raw("evil.html");
    assert.equal(status, 200);
    assert.equal(headers["content-disposition"], "attachment");
    assert.match(headers["content-security-policy"], /sandbox/);
    assert.equal(headers["x-content-type-options"], "nosniff");
  });

  await t.step("an SVG is shown as an image, and runs no script when opened directly", async () => {
    await open("evil.svg");
    await loaded("img");
    await page.goto(`${lucy.base}/raw/home/evil.svg`);
    assert.notEqual(await page.title(), "owned");
    await page.goto(`${lucy.base}/api/v1/files/home/evil.svg`);
    assert.notEqual(await page.title(), "owned");
    lucy.broken.length = 0; // the browser's reports of refusals
  });

  await t.step("an image, a sound and a PDF have a preview", async () => {
    await open("dot.png");
    await loaded("img");
    await open("silence.wav");
    await page.locator("audio").evaluate((audio) =>
      new Promise<void>((resolve, reject) => {
        const media = audio as unknown as { readyState: number } & EventTarget;
        if (media.readyState > 0) return resolve();
        media.addEventListener("loadedmetadata", () => resolve());
        media.addEventListener("error", () => reject(new Error("it can't be played")));
      })
    );
    const { headers } = await raw("paper.pdf");
    assert.equal(headers["content-type"], "application/pdf");
    await open("paper.pdf");
    await page.locator("iframe").waitFor();
    await lucy.shot("pdf");
  });

  await t.step("names are shown as text, never as HTML", async () => {
    await page.goto(`${lucy.base}/files/home/`);
    await lucy.sees("<img src=x onerror=alert(1)>.txt");
    await page.click("text=<img src=x");
    await page.locator("h1", { hasText: "<img src=x onerror=alert(1)>.txt" }).waitFor();
  });

  await t.step("the page is accessible with both themes, on a desktop and on a phone", async () => {
    for (const scheme of ["light", "dark"] as const) {
      for (const width of [1280, 390]) {
        await page.emulateMedia({ colorScheme: scheme });
        await page.setViewportSize({ width, height: 800 });
        await page.goto(`${lucy.base}/files/home/`);
        await lucy.sees("music");
        await lucy.shot(`home-${width}-${scheme}`);
        await page.check('input[value="music"]');
        const both = (scheme === "light") === (width > 500); // two of four combinations, to save time
        if (both) await lucy.checkAccess();
        const wide = await page.evaluate("document.documentElement.scrollWidth");
        assert.ok(Number(wide) <= width, `${wide} is wider than ${width}`);
        await page.click("text=dot.png");
        await page.locator("#sha256").waitFor();
        if (both) await lucy.checkAccess();
        await lucy.shot(`about-${width}-${scheme}`);
      }
    }
  });

  await t.step(
    "on a phone, a folder is created, and a file uploaded, shown and deleted",
    async () => {
      await using phone = await Person.open({ width: 390 });
      const { page } = phone;
      await phone.enter("lucy");
      await page.click("#new-folder");
      await phone.shot("phone-dialog");
      await page.fill("dialog #to", "pocket");
      await page.click("dialog [data-default]");
      await page.click("text=pocket");
      await page.getByText("Nothing here yet").waitFor();
      await phone.upload(`${home}/dot.png`);
      await phone.sees("dot.png");
      await phone.shot("phone-uploaded");
      await page.click("text=Clear");
      await page.click('[aria-label="More about dot.png"]');
      await page.click('[formaction="/do/delete"]');
      await page.click("dialog .bad");
      await phone.hears("Deleted 1 item");
      await page.getByText("Nothing here yet").waitFor();
    },
  );

  await t.step("the page can be used by the keyboard alone", async () => {
    await using person = await Person.open();
    const { page } = person;
    const { keyboard } = page;
    const focused = () => page.locator(":focus");
    await page.goto(`${person.base}/login`);
    await keyboard.type("lucy");
    await keyboard.press("Tab");
    await keyboard.type(password);
    await keyboard.press("Enter");
    await person.sees("music");
    await keyboard.press("Tab");
    assert.equal(await focused().innerText(), "Skip to the content");
    await keyboard.press("n");
    await page.locator("dialog #to:focus").waitFor();
    await keyboard.type("by key");
    await keyboard.press("Enter");
    await person.hears("The folder is created");
    await person.sees("by key");
    await keyboard.press("ArrowDown");
    assert.equal((await focused().innerText()).trim(), "by key");
    await keyboard.press("x");
    await page.locator("[data-count]", { hasText: "1 selected" }).waitFor();
    await keyboard.press("Delete");
    await page.locator("dialog .bad:focus").waitFor();
    await keyboard.press("Escape");
    await page.locator("dialog[open]").waitFor({ state: "detached" });
    assert.equal((await focused().innerText()).trim(), "by key");
    await keyboard.press("Enter");
    await page.getByText("Nothing here yet").waitFor();
    await keyboard.press("?");
    await page.locator("dialog", { hasText: "previous or next row" }).waitFor();
    await keyboard.press("Escape");
  });

  await t.step("the chosen theme is remembered", async () => {
    await page.emulateMedia({ colorScheme: "light" });
    const theme = () => page.locator("html").getAttribute("data-theme");
    const saved = page.waitForResponse("**/theme");
    await page.click("[data-theme-form] button");
    assert.equal(await theme(), "dark");
    await saved;
    const after = page.waitForResponse("**/files/home/");
    await page.goto(`${lucy.base}/files/home/`);
    await after;
    assert.equal(await theme(), "dark");
  });

  await t.step("the page reports when it is offline, and when the login has ended", async () => {
    await using person = await Person.open();
    const { page, context } = person;
    await person.enter("lucy");
    await context.setOffline(true);
    await page.click("text=evil.html");
    await person.hears("You are offline");
    await context.setOffline(false);
    await page.click("text=evil.html");
    await page.locator("#main pre").waitFor();
    await context.clearCookies();
    await page.click(".crumbs >> text=Home");
    await page.getByText("Log in to continue").waitFor({ state: "detached" });
    await page.fill("#name", "lucy");
    await page.fill("#password", password);
    await page.click("button[type=submit]");
    await person.sees("evil.html");
  });

  await t.step("the page works without scripts", async () => {
    await using plain = await Person.open({ script: false });
    const { page } = plain;
    await plain.login("lucy", password);
    await page.click("th >> text=Size");
    await page.locator("th.size[aria-sort]").waitFor();
    await page.fill("#q", "dot");
    await page.press("#q", "Enter");
    await page.waitForURL(/[?&]q=dot/);
    assert.deepEqual(await plain.names(), ["dot.png"]);
    await page.check('input[value="dot.png"]');
    await page.click("[data-verb=rename]");
    await page.fill("#to", "point.png");
    await page.click("[data-default]");
    await plain.sees("point.png");
    await page.check('input[value="point.png"]');
    await page.click("[data-verb=delete]");
    await page.click(".b.bad");
    await plain.sees("music");
    await plain.sees("point.png", false);
    await plain.shot("no-script");
  });

  await t.step("a missing file has an error page, and the page's assets are small", async () => {
    const missing = await page.goto(`${lucy.base}/about/home/nothing.txt`);
    assert.equal(missing?.status(), 404);
    await page.locator("h1", { hasText: "Nothing here" }).waitFor();
    await lucy.checkAccess();
    await using fresh = await Person.open({ fresh: true });
    const weights: Promise<number>[] = [];
    fresh.page.on("response", (response) => {
      if (response.status() === 200) weights.push(response.body().then((b) => gzipSync(b).length));
    });
    await fresh.login("lucy", password);
    await fresh.page.waitForLoadState("networkidle");
    fresh.page.removeAllListeners("response");
    const weight = (await Promise.all(weights)).reduce((sum, bytes) => sum + bytes, 0);
    assert.ok(weight > 5_000 && weight < 60_000, `${weight} bytes`);
  });

  async function raw(name: string) {
    const response = await lucy.context.request.get(`${lucy.base}/raw/home/${name}`);
    return { headers: response.headers(), status: response.status() };
  }

  async function loaded(selector: string) {
    const width = await page.locator(`.view ${selector}`).evaluate(async (image) => {
      const shown = image as unknown as { decode(): Promise<void>; naturalWidth: number };
      await shown.decode();
      return shown.naturalWidth;
    });
    assert.ok(width > 0);
  }
});

/** A tenth of a second of silence. */
function wav(): Uint8Array {
  const [rate, samples] = [8000, 800];
  const bytes = new Uint8Array(44 + samples).fill(128, 44);
  const view = new DataView(bytes.buffer);
  const text = (at: number, words: string) => bytes.set(new TextEncoder().encode(words), at);
  text(0, "RIFF");
  view.setUint32(4, 36 + samples, true);
  text(8, "WAVEfmt ");
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true);
  view.setUint16(22, 1, true);
  view.setUint32(24, rate, true);
  view.setUint32(28, rate, true);
  view.setUint16(32, 1, true);
  view.setUint16(34, 8, true);
  text(36, "data");
  view.setUint32(40, samples, true);
  return bytes;
}
