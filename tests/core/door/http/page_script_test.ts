/** Tests that no uploaded file runs as a script of the page, whose origin it has. */
import assert from "node:assert/strict";
import { startServer } from "../../../_server.ts";
import { openBrowser, Person, test } from "./_browser.ts";

test("an uploaded script does not run in the page, however it is opened", async () => {
  await using server = await startServer({
    args: ["--http", "127.0.0.1:0", "--workers", "1", "--durability", "relaxed"],
  });
  await server.addUser("alice");
  const script = "document.documentElement.dataset.ran = 'yes';";
  await Deno.writeTextFile(`${server.data}/evil.js`, script);
  await using browser = await openBrowser();
  await using alice = await Person.open(browser, server);
  await alice.login("alice");
  await alice.upload(`${server.data}/evil.js`);
  await alice.hears("Uploaded");
  assert.deepEqual(alice.broken, []);
  const urls = ["/api/v1/files/home/evil.js", "/dav/home/evil.js", "/raw/home/evil.js"];
  // As an injected element does: inline, or with the URL of an existing module.
  const outcomes = await alice.page.evaluate(async (urls: string[]) => {
    const found: string[] = [];
    for (const url of urls) {
      for (const type of ["text/javascript", "module"]) {
        // deno-lint-ignore no-explicit-any
        const element = (globalThis as any).document.createElement("script");
        Object.assign(element, { src: url, type });
        const ended = new Promise<string>((resolve) => {
          element.onload = () => resolve(`${url} ran as ${type}`);
          element.onerror = () => resolve("refused");
        });
        // deno-lint-ignore no-explicit-any
        (globalThis as any).document.head.append(element);
        found.push(await ended);
      }
    }
    return found;
  }, urls);
  assert.deepEqual(outcomes, Array(6).fill("refused"));
  assert.equal(await alice.page.locator("html[data-ran]").count(), 0);
  alice.broken.length = 0; // the refusals themselves
  // Each page has its own nonce.
  const policies = await Promise.all([1, 2].map(async () => {
    const answer = await fetch(`http://${server.facts.http}/login`);
    const text = await answer.text();
    const policy = answer.headers.get("content-security-policy")!;
    const [, nonce] = /script-src 'nonce-([^']+)'/.exec(policy)!;
    assert.ok(text.includes(`<script nonce="${nonce}"`));
    assert.doesNotMatch(policy, /script-src[^;]*'self'/);
    return nonce;
  }));
  assert.notEqual(policies[0], policies[1]);
});
