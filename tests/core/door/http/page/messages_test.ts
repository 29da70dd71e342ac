/** Tests the listing of a folder, and the page's notices and failures. */
import assert from "node:assert/strict";
import { listing, listingQueryOf, perPage } from "../../../../../core/door/http/page/listing.ts";
import { errorText, noticeText } from "../../../../../core/door/http/page/messages.ts";
import { backOf } from "../../../../../core/door/http/page/view.ts";
import { BargeError } from "../../../../../core/error.ts";
import { Setup } from "../../../_setup.ts";

Deno.test("a folder is sorted, filtered and cut into pages; folders come first", async () => {
  using setup = new Setup();
  const anna = setup.user("anna");
  for (const [i, name] of ["b10.txt", "B2.txt", "a.txt"].entries()) {
    Deno.writeTextFileSync(setup.disk(`/home/${name}`), "x".repeat(i + 1));
  }
  Deno.mkdirSync(setup.disk("/home/z"));
  const names = async (query: string) =>
    (await listing(anna, "/home", listingQueryOf(new URLSearchParams(query)))).entries
      .map(({ name }) => name);
  assert.deepEqual(await names(""), ["z", "a.txt", "B2.txt", "b10.txt"]);
  assert.deepEqual(await names("order=desc"), ["z", "b10.txt", "B2.txt", "a.txt"]);
  assert.deepEqual(await names("sort=size&order=desc"), ["z", "a.txt", "B2.txt", "b10.txt"]);
  assert.deepEqual(await names("sort=nonsense&page=-7&q=B"), ["B2.txt", "b10.txt"]);

  Deno.mkdirSync(setup.disk("/home/z/many"));
  for (let i = 0; i < perPage + 3; i++) Deno.writeTextFileSync(setup.disk(`/home/z/many/${i}`), "");
  const page = (n: number) =>
    listing(anna, "/home/z/many", listingQueryOf(new URLSearchParams({ page: `${n}` })));
  const [first, last, beyond] = [await page(1), await page(2), await page(9)];
  assert.equal(first.entries.length, perPage);
  assert.deepEqual(last.entries.map(({ name }) => name), ["500", "501", "502"]);
  assert.deepEqual([last.matching, last.total, last.pages], [perPage + 3, perPage + 3, 2]);
  assert.deepEqual(beyond.entries, last.entries);
});

Deno.test("a URL can't make the page show any text", () => {
  assert.equal(noticeText("deleted.3"), "Deleted 3 items.");
  assert.equal(noticeText("deleted.-1"), "Deleted 1 item.");
  assert.equal(noticeText("Send me your password"), undefined);
  assert.equal(noticeText("constructor"), undefined);
  assert.equal(noticeText(null), undefined);
});

Deno.test("failures are shown as sentences", () => {
  const failed = new BargeError(
    "over-quota",
    "needs 2000000 bytes, 1000000 are left; 5000 are held",
    {
      path: "/home/a.jpg",
    },
  );
  assert.equal(errorText(failed), "a.jpg: needs 2.00 MB, 1.00 MB are left; 5.00 kB are held.");
  assert.match(errorText(new BargeError("io", "EIO: /srv/barge/x")), /^The server failed/);
});

Deno.test("redirects after a form lead only to this server", () => {
  for (const good of ["/account", "/files/home/a%20b?q=1"]) assert.equal(backOf(good), good);
  for (
    const bad of [null, "", "//evil.example", "/\\evil.example", "https://evil.example", "/a b"]
  ) {
    assert.equal(backOf(bad), "/files/home/");
  }
});
