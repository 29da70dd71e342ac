/** Tests share links: who may create them, what visitors get, how downloads are counted. */
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { barge, type Server, startServer } from "../../../_server.ts";
import { basic, Client } from "./_client.ts";

const size = 300_000;

/** Starts a server with two workers, and makes accounts. */
async function open(): Promise<Server> {
  const server = await startServer({
    args: [
      ...["--http", "127.0.0.1:0", "--workers", "2", "--durability", "relaxed"],
      ...["--ban-after", "3", "--rate-down", "20MB"],
    ],
  });
  await server.addUser("alice");
  await server.addUser("bob");
  return server;
}

interface Made {
  readonly id: string;
  readonly url: string;
  readonly token: string;
  readonly state: string;
}

/** The requests of one client to the API, and to links. */
class Caller {
  readonly base: string;

  constructor(server: Server, readonly name: string, readonly login = basic(name)) {
    this.base = `http://${server.facts.http}`;
  }

  async api(method: string, path: string, body?: BodyInit | object, status = 200) {
    const json = body !== undefined && Object.getPrototypeOf(body) === Object.prototype;
    const response = await fetch(`${this.base}/api/v1${path}`, {
      method,
      headers: { ...this.login, ...json ? { "content-type": "application/json" } : {} },
      body: json ? JSON.stringify(body) : body as BodyInit,
    });
    const text = await response.text();
    assert.equal(response.status, status, `${method} ${path}: ${text}`);
    return text === "" ? undefined : JSON.parse(text);
  }

  put(path: string, content: Uint8Array<ArrayBuffer>, status = 201) {
    return this.api("PUT", `/files${path}`, content, status);
  }

  async share(path: string, facts: object = {}): Promise<Made> {
    return await this.api("POST", "/shares", { path, ...facts }, 201);
  }

  async states(): Promise<Record<string, { state: string; downloads: number }>> {
    const { shares } = await this.api("GET", "/shares");
    return Object.fromEntries(
      shares.map(({ id, state, downloads }: { id: string; state: string; downloads: number }) =>
        [id, { state, downloads }] as const
      ),
    );
  }
}

/** Sends a request without a login. */
async function ask(url: string, init: RequestInit = {}) {
  const response = await fetch(url, { redirect: "manual", ...init });
  const bytes = new Uint8Array(await response.arrayBuffer());
  return { status: response.status, headers: response.headers, bytes, text: decode(bytes) };
}

function decode(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

Deno.test("a share link gives a visitor its file, as often as it allows", async (t) => {
  await using server = await open();
  const alice = new Caller(server, "alice");
  const bob = new Caller(server, "bob");
  const content = new Uint8Array(randomBytes(size));
  await alice.put("/home/a%20b.bin", content);
  const get = (made: Made, init?: RequestInit) => ask(`${made.url}/get/a%20b.bin`, init);

  await t.step("a link's page shows name, size and digest, and counts as no download", async () => {
    const made = await alice.share("/home/a b.bin");
    assert.match(made.token, /^[\w-]{43}$/);
    const page = await ask(made.url);
    assert.equal(page.status, 200);
    for (const part of ["a b.bin", "300 kB", sha256(content)]) assert(page.text.includes(part));
    assert(!page.text.includes("alice"), "whose it is is not told");
    assert.deepEqual((await alice.states())[made.id], { state: "live", downloads: 0 });
    const file = await get(made);
    assert.equal(sha256(file.bytes), sha256(content));
    assert.match(file.headers.get("content-disposition") ?? "", /^attachment; filename="a b.bin"/);
    assert.equal((await get(made, { method: "HEAD" })).status, 200);
    const etag = file.headers.get("etag")!;
    assert.equal((await get(made, { headers: { "if-none-match": etag } })).status, 304);
    assert.deepEqual((await alice.states())[made.id], { state: "live", downloads: 1 });
  });

  await t.step("of ten downloads at once, three succeed if three are allowed", async () => {
    const made = await alice.share("/home/a b.bin", { downloads: 3 });
    const all = await Promise.all(Array.from({ length: 10 }, () => get(made)));
    const status = all.map(({ status }) => status).sort();
    assert.deepEqual(status, [200, 200, 200, ...Array(7).fill(404)]);
    for (const { status, bytes } of all) {
      if (status === 200) assert.equal(sha256(bytes), sha256(content));
    }
    assert.deepEqual((await alice.states())[made.id], { state: "used-up", downloads: 3 });
    assert.equal((await ask(made.url)).status, 404);
  });

  await t.step("a resumed download is counted once", async () => {
    const made = await alice.share("/home/a b.bin", { downloads: 1 });
    const part = (range: string, headers = {}) => get(made, { headers: { range, ...headers } });
    assert.equal((await get({ ...made, url: made.url.slice(0, -1) })).status, 404);
    const first = await part("bytes=0-99999");
    assert.equal(first.status, 206);
    const etag = first.headers.get("etag")!;
    const rest = await part("bytes=100000-", { "if-range": etag });
    assert.equal(rest.status, 206);
    assert.equal(sha256(new Uint8Array([...first.bytes, ...rest.bytes])), sha256(content));
    assert.equal((await part("bytes=0-99999")).status, 404);
    assert.equal((await get(made)).status, 404);
    // Another version of the file is another download, and none is left.
    await alice.put("/home/a%20b.bin", content.slice(1), 200);
    assert.equal((await part("bytes=100000-")).status, 404);
    await alice.put("/home/a%20b.bin", content, 200);
  });

  await t.step("a range from the middle counts as a download if none was counted", async () => {
    const made = await alice.share("/home/a b.bin", { downloads: 1 });
    assert.equal((await get(made, { headers: { range: "bytes=5-" } })).status, 206);
    assert.equal((await alice.states())[made.id].state, "used-up");
    assert.equal((await get(made, { headers: { range: "bytes=7-" } })).status, 206);
    assert.equal((await get(made)).status, 404);
  });

  await t.step("all invalid links get the same response", async () => {
    const revoked = await alice.share("/home/a b.bin");
    await bob.api("DELETE", `/shares/${revoked.id}`, undefined, 404);
    await alice.api("DELETE", `/shares/${revoked.id}`, undefined, 204);
    await alice.put("/home/moved", content);
    const moved = await alice.share("/home/moved");
    await alice.api("POST", "/move", { from: "/home/moved", to: "/home/elsewhere" });
    await alice.put("/home/moved", new Uint8Array(5)); // the new file of that name is not shared
    const body = (text: string) => text.replaceAll(/<main.*<\/main>/gs, "");
    // Each page has its own nonce.
    const asked = async (url: string) => {
      const { status, text } = await ask(url);
      return { status, text: text.replace(/ nonce="[^"]+"/, "") };
    };
    const unknown = await asked(`${alice.base}/s/${"x".repeat(43)}`);
    assert.equal(unknown.status, 404);
    assert.match(unknown.text, /This link is not valid/);
    for (const made of [revoked, moved]) {
      const { status, text } = await asked(made.url);
      assert.deepEqual([status, body(text)], [404, body(unknown.text)]);
      assert.equal(text, unknown.text);
    }
    assert.equal((await alice.states())[moved.id].state, "gone");
    assert.equal((await asked(`${alice.base}/s/x`)).text, unknown.text);
  });

  await t.step("a link to a file gives no other file, and no token is logged", async () => {
    const made = await alice.share("/home/a b.bin");
    for (const rest of ["get/moved", "get/..%2fmoved", "in/", "zip/", "get/", "get/%2e%2e/moved"]) {
      const { status } = await ask(`${made.url}/${rest}`);
      assert(status === 404 || status === 400, `${rest}: ${status}`);
    }
    await get(made);
    await server.said(`/s/${made.id}/a%20b.bin`);
    assert(!server.stderr().includes(made.token));
  });

  const small = new Uint8Array(randomBytes(1000));
  await alice.put("/home/a", small);
  await alice.put("/public/a", small);
  await alice.api("POST", "/mkdir", { path: "/public/dir" }, 201);

  await t.step("an account can share only its own files", async () => {
    await alice.share("/public/a");
    const refused: [Caller, object, number][] = [
      [bob, { path: "/public/a" }, 403],
      [bob, { path: "/home/a" }, 404],
      [alice, { path: "/public/dir" }, 403],
      [alice, { path: "/home" }, 409],
      [alice, { path: "/" }, 409],
      [alice, { path: "/home/../bob" }, 400],
    ];
    for (const [who, body, status] of refused) await who.api("POST", "/shares", body, status);
    const wrong = [
      { downloads: 0 },
      { downloads: 1.5 },
      { downloads: 1e9 },
      { expires: "tomorrow" },
      { expires: new Date(Date.now() - 1000).toISOString() },
      { expires: new Date(Date.now() + 400 * 86_400_000).toISOString() },
      { password: "x".repeat(1025) },
      { other: 1 },
    ];
    for (const facts of wrong) {
      await alice.api("POST", "/shares", { path: "/home/a", ...facts }, 400);
    }
  });

  await t.step("a shared folder is listed and sent as a zip, and nothing beside it", async () => {
    await alice.api("POST", "/mkdir", { path: "/home/d/in ner", parents: true }, 201);
    await alice.put("/home/d/in%20ner/x.txt", small);
    const made = await alice.share("/home/d", { downloads: 2 });
    const page = await ask(made.url);
    assert(page.text.includes("in ner"));
    assert((await ask(`${made.url}/in/in%20ner/`)).text.includes("x.txt"));
    assert.equal((await ask(`${made.url}/in/none/`)).status, 404);
    for (const out of ["%2e%2e/a", "../a", "..%2fa", "%2fhome/a", "a"]) {
      const { status } = await ask(`${made.url}/get/${out}`);
      assert(status === 404 || status === 400, `${out}: ${status}`);
    }
    const file = await ask(`${made.url}/get/in%20ner/x.txt`);
    assert.equal(sha256(file.bytes), sha256(small));
    const zip = await ask(`${made.url}/zip/`);
    assert.equal(zip.headers.get("content-type"), "application/zip");
    assert.equal(decode(zip.bytes.subarray(0, 2)), "PK");
    assert((await ask(`${made.url}/zip/`)).status === 404, "both downloads are used");
  });

  await t.step("a download under way is cut when its link is revoked", async () => {
    const large = 64 * 2 ** 30; // more than is read at the limited rate until the cut
    const made = await alice.share("/home/a", {});
    await Deno.writeFile(`${server.data}/homes/alice/large`, new Uint8Array());
    await Deno.truncate(`${server.data}/homes/alice/large`, large); // a hole
    const link = await alice.share("/home/large");
    using client = await Client.open(server.facts.http!);
    await client.begin("GET", `${new URL(link.url).pathname}/get/large`);
    await client.start();
    await alice.api("DELETE", `/shares/${link.id}`, undefined, 204);
    assert.ok(await client.drain() < large);
    assert.equal((await ask(made.url)).status, 200);
    await Deno.remove(`${server.data}/homes/alice/large`);
    await alice.api("DELETE", `/shares/${made.id}`, undefined, 204);
  });

  await t.step("a link that is made with a token ends no later than the token", async () => {
    await alice.put("/home/job", small);
    const end = new Date(Math.ceil(Date.now() / 1000) * 1000 + 2 * 86_400_000);
    const limits = { label: "job", from: ["127.0.0.0/8"], expires: end.toISOString() };
    const { token } = await alice.api("POST", "/tokens", limits, 201);
    const job = new Caller(server, "alice", { authorization: `Bearer ${token}` });
    const made = await job.api("POST", "/shares", { path: "/home/job" }, 201);
    assert.equal(made.expires, end.toISOString());
    const at = (ms: number) => ({ path: "/home/job", expires: new Date(+end + ms).toISOString() });
    await job.api("POST", "/shares", at(0), 201);
    assert((await job.api("POST", "/shares", at(-86_400_000), 201)).expires < made.expires);
    const { kind, detail, hint } = await job.api("POST", "/shares", at(1000), 403);
    assert.deepEqual([kind, detail], [
      "denied",
      "the link would outlive the token of this login",
    ]);
    assert(hint.includes(end.toISOString()), hint);
    assert.equal((await ask(made.url)).status, 200);
    await alice.api("POST", "/shares", at(1000), 201);
  });

  await t.step("a link ends when its owner is disabled or removed", async () => {
    const made = await alice.share("/home/a");
    assert.equal((await ask(made.url)).status, 200);
    const run = async (...args: string[]) => {
      const { code, stderr } = await barge([...args, ...server.storage]);
      assert.equal(code, 0, stderr);
    };
    await run("user", "disable", "alice");
    assert.equal((await ask(made.url)).status, 404);
    await run("user", "enable", "alice");
    assert.equal((await ask(made.url)).status, 200);
  });

  await t.step(
    "a link's password is required; wrong ones are delayed, and lead to a ban",
    async () => {
      const made = await alice.share("/home/a", { password: "open sésame" });
      const page = await ask(made.url);
      assert.match(page.text, /This link has a password/);
      assert(!page.text.includes(sha256(small)) && !page.text.includes(">a<"));
      const bare = await ask(`${made.url}/get/a`);
      assert.deepEqual([bare.status, bare.headers.get("location")], [
        303,
        new URL(made.url).pathname,
      ]);
      const form = (password: string) => {
        const [, csrf] = /name="csrf" value="([^"]+)"/.exec(page.text)!;
        return { method: "POST", body: new URLSearchParams({ csrf, password }) };
      };
      assert.equal((await ask(made.url, form("wrong"))).status, 401);
      const right = await ask(made.url, form("open sésame"));
      assert.equal(right.status, 303);
      const [cookie] = right.headers.getSetCookie();
      assert.match(cookie, /HttpOnly/);
      const headers = { cookie: cookie.split(";")[0] };
      assert.equal(sha256((await ask(`${made.url}/get/a`, { headers })).bytes), sha256(small));
      assert.match((await ask(made.url, { headers })).text, new RegExp(sha256(small)));
      // The cookie is not valid for another link, or with a changed date.
      const other = await alice.share("/home/a", { password: "open sésame" });
      assert.equal((await ask(`${other.url}/get/a`, { headers })).status, 303);
      const later = { cookie: headers.cookie.replace(/=\d/, (text) => `=9${text.slice(1)}`) };
      assert.equal((await ask(`${made.url}/get/a`, { headers: later })).status, 303);
      // For programs.
      const viaBasic = await ask(`${made.url}/get/a`, { headers: basic("", "open sésame") });
      assert.equal(viaBasic.status, 200);
      const guesses = ["guess", "another"].map((guess) => ask(made.url, form(guess)));
      for (const { status } of await Promise.all(guesses)) assert.equal(status, 401);
      assert.equal((await ask(made.url, form("open sésame"))).status, 401);
      assert.equal((await ask(made.url, { headers })).status, 200, "who was in stays in");
    },
  );
});
