/** Tests the times in requests. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { api, Web } from "./_web.ts";

const base64 = (text: string) => Buffer.from(text).toString("base64");

Deno.test("every way in refuses a time that does not exist, or that no file can have", async () => {
  await using web = await Web.start();
  const anna = await web.user("anna");
  const put = (headers: Record<string, string>) =>
    anna.ask("PUT", `${api}/files/home/f`, headers, "x").then(({ status }) => status);
  assert.equal(await put({ "x-oc-mtime": "253402300799" }), 400);
  assert.equal(await put({ "x-oc-mtime": "-3000000000" }), 400);
  assert.equal(await put({ "last-modified": "Fri, 31 Dec 9999 23:59:59 GMT" }), 400);
  assert.equal((await anna.ask("GET", `${api}/files/home/f`)).status, 404);
  // A malformed time is ignored, as in other headers.
  assert.equal(await put({ "last-modified": "Mon, 30 Feb 2026 00:00:00 GMT" }), 201);
  const { entry: stored } = (await anna.ask("GET", `${api}/entries/home/f`)).json ?? {};
  assert.notEqual(stored?.modified?.slice(0, 7), "2026-03");

  const tus = (modified: string) =>
    anna.ask("POST", `${api}/uploads/home/`, {
      "tus-resumable": "1.0.0",
      "upload-length": "1",
      "upload-metadata": `filename ${base64("t")},modified ${base64(modified)}`,
    }).then(({ status }) => status);
  for (const no of ["2026-02-30T00:00:00Z", "9999-12-31T00:00:00Z", "1719922000", "soon"]) {
    assert.equal(await tus(no), 400, no);
  }
  assert.equal(await tus("2026-03-01t12:00:00z"), 201);

  const patch = (time: string) =>
    anna.ask(
      "PROPPATCH",
      "/dav/home/f",
      {},
      `<D:propertyupdate xmlns:D="DAV:" xmlns:Z="urn:schemas-microsoft-com:"><D:set><D:prop>` +
        `<Z:Win32LastModifiedTime>${time}</Z:Win32LastModifiedTime>` +
        `</D:prop></D:set></D:propertyupdate>`,
    ).then(({ status }) => status);
  assert.equal(await patch("Mon, 30 Feb 2026 00:00:00 GMT"), 400);
  assert.equal(await patch("Fri, 31 Dec 9999 00:00:00 GMT"), 400);
  assert.equal(await patch("Sun, 01 Mar 2026 12:00:00 GMT"), 207);

  const share = (expires: string) =>
    anna.json("POST", `${api}/shares`, { path: "/home/f", expires }).then(({ status }) => status);
  const tomorrow = new Date(Date.now() + 86_400_000).toISOString();
  assert.equal(await share(tomorrow.toLowerCase()), 201);
  assert.equal(await share(tomorrow.replace(/-\d\dT/, "-32T")), 400);
});
