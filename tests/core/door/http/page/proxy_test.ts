/** Tests the page behind a proxy that limits bodies and does not forward Host. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { password, Person, server, test } from "./_browser.ts";

/** Starts a proxy that refuses long bodies. */
class Proxy implements AsyncDisposable {
  /** The most bytes of a body. */
  limit = 1024 * 1024;
  refused = 0;
  readonly #server: Deno.HttpServer<Deno.NetAddr>;

  constructor(to: string) {
    const options = { hostname: "127.0.0.1", port: 0, onListen() {} };
    this.#server = Deno.serve(options, async (request) => {
      const bytes = Number(request.headers.get("content-length") ?? 0);
      if (bytes > this.limit) {
        this.refused++;
        await request.body?.pipeTo(new WritableStream());
        return new Response("<h1>413 Request Entity Too Large</h1>", { status: 413 });
      }
      const { pathname, search } = new URL(request.url);
      const headers = new Headers(request.headers);
      headers.delete("host");
      headers.set("accept-encoding", "identity");
      const { method, body } = request;
      const url = `http://${to}${pathname}${search}`;
      return await fetch(url, { method, headers, body, redirect: "manual" });
    });
  }

  get base(): string {
    return `http://127.0.0.1:${this.#server.addr.port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
  }
}

test("uploads of the page pass a proxy that limits bodies and does not forward Host", async () => {
  await server.addUser("petra", { password });
  await using proxy = new Proxy(server.facts.http!);
  const bytes = randomBytes(3_000_000);
  const file = `${server.data}/large.bin`;
  await Deno.writeFile(file, bytes);
  await using petra = await Person.open();
  petra.base = proxy.base;
  await petra.login("petra", password);
  proxy.limit = 1000;
  await petra.upload(file);
  const row = petra.page.locator(".transfers li.bad", { hasText: "proxy" });
  await row.waitFor();
  const progress = petra.page.locator(".transfers progress");
  assert.equal(Number(await progress.getAttribute("value")), 0);
  assert.ok(proxy.refused > 1, "smaller pieces were not tried");
  proxy.limit = 1024 * 1024;
  await petra.page.click('.transfers [data-act="resume"]');
  await petra.hears("Uploaded");
  assert.deepEqual(
    await Deno.readFile(`${server.data}/homes/petra/large.bin`),
    new Uint8Array(bytes),
  );
  // From the start, too: the first pieces are too large, smaller ones pass.
  await petra.page.reload();
  await Deno.rename(file, `${server.data}/again.bin`);
  await petra.upload(`${server.data}/again.bin`);
  await petra.hears("Uploaded");
  assert.deepEqual(
    await Deno.readFile(`${server.data}/homes/petra/again.bin`),
    new Uint8Array(bytes),
  );
});
