/** Tests logins at the HTTP door. */
import assert from "node:assert/strict";
import { verifierOf } from "../../../_passwords.ts";
import { basic } from "./_client.ts";
import { api, Web } from "./_web.ts";

const account = `${api}/account`;

Deno.test("Basic accepts a password or a token, Bearer a token", async () => {
  await using web = await Web.start();
  const anna = await web.withPassword("anna");
  const me = await anna.ask("GET", account);
  assert.deepEqual([me.status, me.json.name, me.json.withPassword], [200, "anna", true]);
  const { token, id } = (await anna.json("POST", `${api}/tokens`, { label: "cron" })).json;
  const stranger = await web.client();
  const as = async (headers: Record<string, string>) =>
    (await stranger.ask("GET", account, headers)).status;
  assert.equal(await as({ authorization: `Bearer ${token}` }), 200);
  assert.equal(await as(basic("anna", token)), 200);
  assert.equal(await as(basic("", token)), 200);
  assert.equal(await as(basic("bob", token)), 401);
  assert.equal(await as({}), 401);
  assert.equal(await as({ authorization: "Digest x" }), 401);
  assert.equal(await as({ authorization: "Basic !" }), 400);
  assert.equal((await anna.ask("DELETE", `${api}/tokens/${id}`)).status, 204);
  assert.equal(await as({ authorization: `Bearer ${token}` }), 401);
});

Deno.test("a login that is written in many ways is remembered once", async () => {
  await using web = await Web.start();
  const anna = await web.withPassword("anna");
  const text = basic("anna").authorization.replace("Basic ", "");
  for (const field of ["Basic TEXT", "basic TEXT", "BASIC  TEXT", "Basic   TEXT ", "Basic TEXT"]) {
    const authorization = field.replace("TEXT", text);
    assert.equal((await anna.ask("GET", account, { authorization })).status, 200, field);
  }
  assert.equal(web.store.metrics.snapshot().logins.ok, 1);
});

Deno.test("a refusal names the ways to log in, for scripts without Basic", async () => {
  await using web = await Web.start();
  const stranger = await web.client();
  const plain = await stranger.ask("GET", account);
  assert.match(plain.headers.get("www-authenticate")!, /^Basic realm="barge".*, Bearer/);
  const script = await stranger.ask("GET", account, { "sec-fetch-mode": "cors" });
  assert.match(script.headers.get("www-authenticate")!, /^Bearer/);
});

Deno.test("a remembered login ends with the password, and with the account", async () => {
  await using web = await Web.start();
  const anna = await web.withPassword("anna");
  const status = async () => (await anna.ask("GET", account)).status;
  assert.equal(await status(), 200);
  web.store.accounts.change("anna", { disabled: true });
  assert.equal(await status(), 401);
  web.store.accounts.change("anna", { disabled: false });
  assert.equal(await status(), 200);
  web.store.accounts.change("anna", { verifier: await verifierOf("bob-secret") });
  assert.equal(await status(), 401);
});

Deno.test("another site can't make a browser change anything", async () => {
  // A door that is not on loopback answers to every name.
  await using web = await Web.start({}, {}, {}, undefined, {
    address: { host: "0.0.0.0", port: 0 },
  });
  const anna = await web.withPassword("anna");
  const make = async (headers: Record<string, string>) =>
    (await anna.ask("PUT", `${api}/files/home/f`, headers, "x")).status;
  assert.equal(await make({ origin: "https://evil.example" }), 403);
  assert.equal(await make({ origin: "null" }), 403);
  assert.equal(await make({ "sec-fetch-site": "cross-site" }), 403);
  assert.equal(await make({ "sec-fetch-site": "same-site" }), 403);
  assert.equal(await make({ origin: "http://localhost" }), 201);
  assert.equal(await make({ "sec-fetch-site": "same-origin" }), 200);
  // Browsers omit the default port of a scheme, proxies add it.
  for (
    const [host, origin] of [
      ["files.example:443", "https://files.example"],
      ["files.example:80", "http://files.example"],
      ["Files.example", "https://files.example:443"],
      ["files.example:8443", "https://files.example:8443"],
      ["[::1]:443", "https://[::1]"],
    ]
  ) assert.equal(await make({ host, origin }), 200, `${host} ${origin}`);
  for (
    const [host, origin] of [
      ["files.example:443", "http://files.example"],
      ["files.example:80", "https://files.example"],
      ["files.example:8443", "https://files.example"],
      ["files.example", "https://evil.example"],
      ["files.example", "https://files.example.evil"],
      ["null", "null"],
      ["files.example", "files.example"],
    ]
  ) assert.equal(await make({ host, origin }), 403, `${host} ${origin}`);
  // Behind a proxy that does not forward Host, only the browser's own comparison helps.
  const proxied = { host: "127.0.0.1:8080", origin: "https://files.example" };
  assert.equal(await make({ ...proxied, "sec-fetch-site": "same-origin" }), 200);
  for (const site of ["same-site", "cross-site", "none"]) {
    assert.equal(await make({ ...proxied, "sec-fetch-site": site }), 403, site);
  }
  assert.equal(await make({ ...proxied, "x-forwarded-host": "files.example" }), 403);
  const read = await anna.ask("GET", account, { origin: "https://evil.example" });
  assert.equal(read.headers.get("access-control-allow-origin"), undefined);
});

Deno.test("too many wrong passwords lead to a ban, also if they arrive at once", async () => {
  await using web = await Web.start({ banAfter: 3 });
  const anna = await web.withPassword("anna");
  const { id } = web.store.accounts.get("anna");
  const { token } = await web.store.tokens.issue(id, "before");
  const clients = await Promise.all(Array.from({ length: 4 }, () => web.client()));
  // Each refusal is delayed, which does not delay others.
  await Promise.all(clients.map(async (client, i) => {
    await client.begin("GET", account, basic("anna", `wrong ${i}`));
    while (web.store.bans.list().length === 0) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    client[Symbol.dispose]();
  }));
  const [ban] = web.store.bans.list();
  assert.deepEqual([ban.account, ban.address], ["anna", "127.0.0.1"]);
  assert.equal((await anna.ask("GET", account)).status, 401); // also with the right password
  const other = await web.client({ authorization: `Bearer ${token}` });
  assert.equal((await other.ask("GET", account)).status, 200);
});

Deno.test("an account may have a limited number of requests at once", async () => {
  await using web = await Web.start({
    limits: { connections: 0, perAddress: 0, perAccount: 1 },
  });
  const anna = await web.user("anna");
  await anna.begin("PUT", `${api}/files/home/f`, {
    "content-length": "300000",
    "expect": "100-continue",
  });
  assert.equal((await anna.answer()).status, 100);
  const { token } = await web.store.tokens.issue(web.store.accounts.get("anna").id, "2");
  const second = await web.client({ authorization: `Bearer ${token}` });
  const refused = await second.ask("GET", account);
  assert.deepEqual([refused.status, refused.headers.get("retry-after")], [503, "5"]);
});
