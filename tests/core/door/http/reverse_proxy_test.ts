/** Tests the HTTP door behind proxies: trust, host names, prefix. */
import assert from "node:assert/strict";
import { startServer } from "../../../_server.ts";
import { basic, Client } from "./_client.ts";
import { api, Web } from "./_web.ts";

const trusted = { trustedProxies: ["127.0.0.1"] };
const files = { publicUrl: "https://box.example/files", ...trusted };

Deno.test("a door on loopback answers only to names of this machine and of its public URL", async () => {
  await using web = await Web.start({}, {}, {}, undefined, { publicUrl: "https://box.example" });
  const client = await web.client();
  const status = async (host: string) => (await client.ask("GET", "/healthz", { host })).status;
  for (
    const host of [
      ...["localhost", "LOCALHOST:8080", "127.0.0.1", "127.0.0.1:1", "[::1]", "[::1]:8080"],
      ...["box.example", "Box.Example", "box.example:443"],
    ]
  ) assert.equal(await status(host), 200, host);
  for (
    const host of [
      ...["evil.example", "evil.example:8080", "localhost.evil.example", "127.0.0.1.evil.example"],
      ...[
        "box.example:80",
        "box.example.evil.example",
        "192.0.2.1",
        "",
        "a@localhost",
        "localhost.",
      ],
    ]
  ) assert.equal(await status(host), 421, host);
  // Such a page can send any header but Host.
  for (const path of ["/login", `${api}/openapi.json`, "/dav/", "/metrics"]) {
    const headers = { host: "evil.example", "x-forwarded-host": "localhost" };
    const refused = await client.ask("GET", path, headers);
    assert.equal(refused.status, 421, path);
    assert.match(refused.json.hint, /--public-url/);
  }
  // A target in absolute form names the host in place of the field.
  for (const [target, answer] of [["evil.example", 421], ["localhost:1", 200]] as const) {
    const absolute = await web.client();
    await absolute.send(
      `GET http://${target}/healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`,
    );
    assert.match(await absolute.end(), new RegExp(`^HTTP/1.1 ${answer} `));
  }
  // No browser sends HTTP/1.0 without a host.
  const old = await web.client();
  await old.send("GET /healthz HTTP/1.0\r\n\r\n");
  assert.match(await old.end(), /^HTTP\/1.1 200 /);
});

Deno.test("a door for other machines answers to every name; with a public URL, to its name and to addresses", async () => {
  const address = { host: "0.0.0.0", port: 0 };
  for (const publicUrl of [undefined, "https://box.example"]) {
    await using web = await Web.start({}, {}, {}, undefined, { address, publicUrl });
    const client = await web.client();
    const status = async (host: string) => (await client.ask("GET", "/healthz", { host })).status;
    for (const host of ["box.example", "192.0.2.1:8080", "[2001:db8::1]", "localhost"]) {
      assert.equal(await status(host), 200, host);
    }
    assert.equal(await status("other.example"), publicUrl ? 421 : 200);
  }
});

Deno.test("behind a trusted proxy, failed logins ban only the client that made them", async () => {
  await using web = await Web.start({ banAfter: 3 }, {}, {}, undefined, trusted);
  await web.withPassword("alice");
  await web.withPassword("bob");
  const login = async (name: string, from: string, password = `${name}-secret`) => {
    const client = await web.client({ ...basic(name, password), "x-forwarded-for": from });
    return (await client.ask("GET", `${api}/quota`)).status;
  };
  assert.equal(await login("alice", "203.0.113.9"), 200); // a network that this account has logged in from
  for (let i = 0; i < 3; i++) {
    // Addresses that the client itself has added to the field have no effect.
    assert.equal(await login("alice", `192.0.2.${i}, 198.51.100.66`, "wrong"), 401);
  }
  assert.deepEqual(
    web.store.bans.list().map(({ account, address }) => [account, address]).sort(),
    [["alice", null], [null, "198.51.100.66"]].sort(),
  );
  assert.equal(await login("bob", "198.51.100.66"), 401);
  assert.equal(await login("bob", "203.0.113.10"), 200);
  assert.equal(await login("alice", "203.0.113.9"), 200);
  // Logins from this machine without the proxy are not banned either.
  const direct = await web.client(basic("alice"));
  assert.equal((await direct.ask("GET", `${api}/quota`)).status, 200);
});

Deno.test("only a trusted proxy can name a client's address", async () => {
  await using web = await Web.start({ banAfter: 3 }, {}, {}, undefined, {
    trustedProxies: ["127.0.0.2"],
  });
  await web.withPassword("alice");
  for (let i = 0; i < 3; i++) {
    const forged = { ...basic("alice", "wrong"), "x-forwarded-for": `192.0.2.${i}` };
    assert.equal((await (await web.client(forged)).ask("GET", `${api}/quota`)).status, 401);
  }
  const bans = web.store.bans.list().map(({ account, address }) => `${account} ${address}`);
  assert.deepEqual(bans, ["alice 127.0.0.1"]);
});

Deno.test("a proxy that is not trusted is logged once, and the metrics have a listener", async () => {
  await using server = await startServer({
    args: ["--http", "127.0.0.1:0", "--metrics", "127.0.0.1:0", "--workers", "1"],
  });
  using client = await Client.open(server.facts.http!);
  await client.ask("GET", "/healthz");
  for (const name of ["x-forwarded-proto", "x-forwarded-for"]) {
    assert.equal((await client.ask("GET", "/healthz", { [name]: "192.0.2.1" })).status, 200);
  }
  assert.equal((await client.ask("GET", "/metrics")).status, 401);
  using prometheus = await Client.open(server.facts.metrics!);
  assert.match((await prometheus.ask("GET", "/metrics")).text, /^barge_workers 1$/m);
  assert.equal((await prometheus.ask("GET", "/login")).status, 404);
  assert.equal(await server.kill("SIGTERM"), 0);
  assert.equal(server.stderr().match(/--trusted-proxy 127\.0\.0\.1/g)?.length, 1);
});

Deno.test("each client of a proxy has its own places at the gate, and the proxy needs none", async () => {
  const limits = { connections: 100, perAddress: 1, perAccount: 100 };
  await using web = await Web.start({ limits }, {}, {}, undefined, trusted);
  const anna = await web.user("anna");
  const from = (address: string) => ({ "x-forwarded-for": address });
  await anna.begin("PUT", `${api}/files/home/f`, { "content-length": "3", ...from("192.0.2.1") });
  await anna.send("a");
  const proxy = await web.client();
  while (web.store.roster.here().every(({ account }) => account !== "anna")) {
    await new Promise((resolve) => setTimeout(resolve, 1)); // until the PUT is under way
  }
  const [put] = web.store.roster.here().filter(({ account }) => account === "anna");
  assert.equal(put.address, "192.0.2.1:0");
  assert.equal((await proxy.ask("GET", "/healthz", from("192.0.2.1"))).status, 503);
  assert.equal((await proxy.ask("GET", "/healthz", from("192.0.2.2"))).status, 200);
  await anna.send("bc");
  assert.equal((await anna.answer()).status, 201);
  assert.equal((await proxy.ask("GET", "/healthz", from("192.0.2.1"))).status, 200);
});

Deno.test("behind a proxy with TLS, the page's cookies are for TLS and for its prefix", async () => {
  await using web = await Web.start({}, {}, {}, undefined, files);
  await web.withPassword("alice");
  const stranger = await web.client({ host: "box.example", "x-forwarded-for": "203.0.113.9" });
  const page = await stranger.ask("GET", "/files/login");
  const [, csrf] = /name="csrf" value="([^"]+)"/.exec(page.text)!;
  const form = new URLSearchParams({ csrf, name: "alice", password: "alice-secret", back: "" });
  const type = { "content-type": "application/x-www-form-urlencoded" };
  const own = { ...type, origin: "https://box.example" };
  // Behind a proxy that sends its own Host, the public URL decides about Origin.
  const given = await stranger.ask(
    "POST",
    "/files/login",
    { ...own, host: "127.0.0.1:8080" },
    form.toString(),
  );
  assert.equal(given.status, 303, given.text);
  assert.equal(given.headers.get("location"), "/files/files/home/");
  const cookie = given.headers.get("set-cookie")!;
  assert.match(
    cookie,
    /^__Secure-barge=[^;]+; .*Path=\/files; .*HttpOnly; Secure; SameSite=Strict/,
  );
  const [pair] = cookie.split(";");
  const home = await stranger.ask("GET", "/files/files/home/", { cookie: pair });
  assert.equal(home.status, 200);
  // The proxy reports a connection without TLS.
  const plain = { cookie: pair, "x-forwarded-proto": "http" };
  assert.equal((await stranger.ask("GET", "/files/files/home/", plain)).status, 303);
  const foreign = { ...type, origin: "https://evil.example", cookie: pair };
  assert.equal((await stranger.ask("POST", "/files/logout", foreign)).status, 403);
});

Deno.test("with a prefix, every path in a page begins with it, and no other path is served", async () => {
  await using web = await Web.start({}, {}, {}, undefined, files);
  const anna = await web.user("anna", null, "admin");
  const host = { host: "box.example" };
  const path = "a%20b.txt";
  const put = await anna.ask("PUT", `/files${api}/files/home/${path}`, host, "1");
  assert.equal(put.headers.get("location"), `/files${api}/files/home/${path}`);
  await anna.ask("MKCOL", "/files/dav/home/dir", host);
  await anna.ask("PUT", `/files${api}/files/home/dir/${path}`, host, "1");
  const share = await anna.ask(
    "POST",
    `/files${api}/shares`,
    { ...host, "content-type": "application/json" },
    JSON.stringify({ path: "/home/dir" }),
  );
  assert.match(share.json.url, /^https:\/\/box\.example\/files\/s\/[\w-]{43}$/);
  const { id } = web.store.accounts.get("anna");
  const secret = web.store.webSessions.begin(id, { agent: ' href="/x"', address: "127.0.0.1" });
  const browser = await web.client({ ...host, cookie: `__Secure-barge=${secret}` });
  const seen = new Set(["/files/", new URL(share.json.url).pathname, `/files/about/home/${path}`]);
  let pages = 0;
  for (const url of seen) {
    const answer = await browser.ask("GET", url);
    assert.ok(answer.status < 400, `${answer.status} ${url}`);
    const to = answer.headers.get("location");
    if (to) seen.add(to.replace(/#.*/, ""));
    if (!answer.headers.get("content-type")?.startsWith("text/html")) continue;
    pages++;
    const page = answer.text.replaceAll("&amp;", "&");
    for (const [, name, target] of page.matchAll(/ ([a-z-]+)="(\/[^"]*)"/g)) {
      // Fields of forms and examples in them are paths of the tree, and a nonce may begin with a slash.
      if (name === "value" || name === "data-path" || name === "nonce" || name === "placeholder") {
        continue;
      }
      assert.match(target, /^\/files\//, `${name} in ${url}`);
      if (name === "href" || name === "src") seen.add(target.replace(/#.*/, ""));
    }
  }
  assert.ok(pages > 8, [...seen].join("\n"));
  // A text that looks like HTML is not changed.
  assert.match((await browser.ask("GET", "/files/account")).text, / href=&quot;\/x&quot;/);
  for (const outside of ["/login", "/files2/login", `${api}/quota`, "/dav/home/"]) {
    assert.equal((await anna.ask("GET", outside, host)).status, 404, outside);
  }
  assert.equal((await anna.ask("GET", "/", host)).headers.get("location"), "/files/");
  assert.equal((await anna.ask("GET", "/healthz", host)).status, 200);
  assert.equal((await anna.ask("GET", "/files/healthz", host)).status, 200);
  const missing = await anna.ask("GET", `/files${api}/files/home/none`, host);
  assert.equal(missing.json.type, "/files/problems/not-found");
  const described = await anna.ask("GET", `/files${api}/openapi.json`, host);
  assert.deepEqual(described.json.servers, [{ url: `/files${api}` }]);
});
