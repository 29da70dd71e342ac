/** Tests that no uploaded file runs as a script of the page, whose origin it has. */
import assert from "node:assert/strict";
import { password, Person, server, test } from "./_browser.ts";

test("an uploaded script does not run in the page, however it is opened", async () => {
  await server.addUser("sam", { password });
  const script = "document.documentElement.dataset.ran = 'yes';";
  await Deno.writeTextFile(`${server.data}/evil.js`, script);
  await using sam = await Person.open();
  await sam.enter("sam");
  await sam.upload(`${server.data}/evil.js`);
  await sam.hears("Uploaded");
  assert.deepEqual(sam.broken, []);
  const urls = ["/api/v1/files/home/evil.js", "/dav/home/evil.js", "/raw/home/evil.js"];
  // As an injected element does: inline, or with the URL of an existing module.
  const outcomes = await sam.page.evaluate(async (urls: string[]) => {
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
  assert.equal(await sam.page.locator("html[data-ran]").count(), 0);
  sam.broken.length = 0; // the refusals themselves
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
