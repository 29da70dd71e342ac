/** Tests that the description of the API, its routes and its responses agree. */
import assert from "node:assert/strict";
import * as v from "valibot";
import { api as makeApi, operations } from "../../../../core/door/http/api/api.ts";
import type { Operation } from "../../../../core/door/http/api/operation.ts";
import { problem } from "../../../../core/door/http/api/schemas.ts";
import { codeAt } from "../../../../core/protocol/totp.ts";
import { type Answer, basic, type Client } from "./_client.ts";
import { api, Web } from "./_web.ts";

Deno.test("the description has all routes and no others", async () => {
  await using web = await Web.start();
  const client = await web.client();
  const { json } = await client.ask("GET", `${api}/openapi.json`);
  assert.equal(json.openapi, "3.1.1");
  const described = Object.entries(json.paths as Record<string, object>).flatMap(([path, item]) =>
    Object.keys(item).map((method) => `${method.toUpperCase()} ${path}`)
  );
  const routed = makeApi().routes.filter(({ method }) => method !== "ALL")
    .map(({ method, path }) =>
      `${method} ${path.replace(/\/\*$/, "/{path}").replace(/:(\w+)/, "{$1}")}`
    )
    .map((route) => /^\w+ \/(files|uploads)$/.test(route) ? `${route}/{path}` : route);
  assert.deepEqual([...new Set(routed)].sort(), described.sort());
  for (const path of Object.keys(json.paths)) {
    const url = api + path.replace(/\{\w+\}/, "x");
    const { status } = await client.ask("DELETE", url);
    assert.notEqual(status, 404, path);
  }
});

Deno.test("each operation answers as described", async (t) => {
  await using web = await Web.start({ allowRegister: true, maxLimit: 5_000_000 });
  const admin = await web.user("root", null, "admin");
  const anna = await web.user("anna", 1_000_000);
  const done = new Set<string>();
  const run = async (
    id: string,
    status: number,
    ask: () => Promise<Answer>,
  ): Promise<Answer> => {
    const operation = operations.find((row) => row.id === id)!;
    let answer!: Answer;
    await t.step(`${id} ${status}`, async () => {
      answer = await ask();
      check(operation, answer, status);
      done.add(id);
    });
    return answer;
  };
  const send = (client: Client, method: string, path: string, value?: object) =>
    value === undefined ? client.ask(method, api + path) : client.json(method, api + path, value);

  await run("write", 201, () => anna.ask("PUT", `${api}/files/home/f`, {}, "text"));
  await run("write", 200, () => anna.ask("PUT", `${api}/files/home/f`, {}, "text"));
  await run("write", 412, () => anna.ask("PUT", `${api}/files/home/f`, { "if-match": '"x"' }, "t"));
  await run("read", 200, () => send(anna, "GET", "/files/home?recursive"));
  await run("read", 200, () => send(anna, "GET", "/files/home/f?stat"));
  await run("read", 416, () => anna.ask("GET", `${api}/files/home/f`, { range: "bytes=9-" }));
  await run("makeFolder", 201, () => send(anna, "POST", "/mkdir", { path: "/home/d" }));
  await run(
    "makeFolder",
    200,
    () => send(anna, "POST", "/mkdir", { path: "/home/d", parents: true }),
  );
  await run("move", 200, () => send(anna, "POST", "/move", { from: "/home/f", to: "/home/g" }));
  await run("move", 404, () => send(anna, "POST", "/move", { from: "/home/f", to: "/home/g" }));
  await run("copy", 200, () => send(anna, "POST", "/copy", { from: "/home/g", to: "/home/h" }));
  await run("copy", 409, () => send(anna, "POST", "/copy", { from: "/home/g", to: "/home/h" }));
  await run("remove", 204, () => send(anna, "DELETE", "/files/home/h"));
  await run("uploadAbilities", 204, () => send(anna, "OPTIONS", "/uploads/"));
  const begin = { "upload-length": "9" };
  await run("createUpload", 201, () => anna.ask("POST", `${api}/uploads/home/u`, begin));
  await run("upload", 200, () => send(anna, "GET", "/uploads/home/u"));
  await run("appendToUpload", 204, () =>
    anna.ask("PATCH", `${api}/uploads/home/u`, {
      "upload-offset": "0",
      "content-type": "application/offset+octet-stream",
    }, "four"));
  await run("endUpload", 204, () => send(anna, "DELETE", "/uploads/home/u"));
  await run("endUpload", 404, () => send(anna, "DELETE", "/uploads/home/u"));
  await run("whoAmI", 200, () => send(anna, "GET", "/account"));
  await run("quota", 200, () => send(anna, "GET", "/quota"));
  await run("grow", 200, () => send(anna, "PUT", "/quota", { limit: 2_000_000 }));
  await run("grow", 403, () => send(anna, "PUT", "/quota", { limit: 6_000_000 }));
  await run("changePassword", 403, () => send(anna, "PUT", "/account/password", { password: "x" }));
  const made = await run("issueToken", 201, () => send(anna, "POST", "/tokens", { label: "x" }));
  const expires = new Date(Date.now() + 3_600_000).toISOString();
  const scope = { access: "append-only", path: "/home/d", doors: ["http"], from: ["127.0.0.0/8"] };
  const scoped = { label: "job", ...scope, expires };
  const limited = await run("issueToken", 201, () => send(anna, "POST", "/tokens", scoped));
  await run("issueToken", 400, () => send(anna, "POST", "/tokens", { ...scoped, from: ["x"] }));
  const job = await web.client({ authorization: `Bearer ${limited.json.token}` });
  await run("issueToken", 403, () => send(job, "POST", "/tokens", { label: "wider" }));
  await run("tokens", 403, () => send(job, "GET", "/tokens"));
  const own = await run("whoAmI", 200, () => send(job, "GET", "/account"));
  assert.deepEqual(own.json.scope, { ...scope, expires });
  const listed = await run("tokens", 200, () => send(anna, "GET", "/tokens"));
  const { usedFrom, expired, access } = listed.json.tokens.at(-1);
  assert.deepEqual([usedFrom, expired, access], ["127.0.0.1", false, "append-only"]);
  await run("revokeToken", 204, () => send(anna, "DELETE", `/tokens/${made.json.id}`));
  await run("revokeToken", 404, () => send(anna, "DELETE", `/tokens/${made.json.id}`));
  const link = { path: "/home/g", password: "sesame", downloads: 3 };
  const shared = await run("share", 201, () => send(anna, "POST", "/shares", link));
  await run("share", 404, () => send(anna, "POST", "/shares", { path: "/home/none" }));
  await run("shares", 200, () => send(anna, "GET", "/shares"));
  await run("revokeShare", 204, () => send(anna, "DELETE", `/shares/${shared.json.id}`));
  await run("revokeShare", 404, () => send(anna, "DELETE", `/shares/${shared.json.id}`));
  await run("accounts", 403, () => send(anna, "GET", "/accounts"));
  await run("accounts", 200, () => send(admin, "GET", "/accounts"));
  const short = { password: "1234567" };
  const bob = { name: "bob", password: "bob-secret" };
  await run("addAccount", 201, () => send(admin, "POST", "/accounts", bob));
  await run("addAccount", 400, () => send(admin, "POST", "/accounts", { ...bob, ...short }));
  await run("addAccount", 409, () => send(admin, "POST", "/accounts", bob));
  await run("account", 200, () => send(admin, "GET", "/accounts/bob"));
  await run("account", 404, () => send(admin, "GET", "/accounts/none"));
  await run("changeAccount", 200, () => send(admin, "PATCH", "/accounts/bob", { limit: null }));
  await run("changeAccount", 400, () => send(admin, "PATCH", "/accounts/bob", short));
  const proof = { name: "bob", password: "bob-secret" };
  const stranger = await web.client();
  const proving = (method: string, path: string, more: object) => () =>
    send(stranger, method, path, { ...proof, ...more });
  const proposed = await run(
    "newTotpSecret",
    200,
    () => send(stranger, "POST", "/account/totp/secret", { name: "bob" }),
  );
  const { secret, url } = proposed.json;
  assert.ok(url.startsWith("otpauth://totp/localhost:bob?"), url);
  const factor = { secret, code: codeAt(secret, Date.now()) };
  const enable = (more: object) => proving("PUT", "/account/totp", { ...factor, ...more });
  await run("enableTotp", 400, enable({ code: "000000" }));
  await run("enableTotp", 401, enable({ password: "wrong-secret" }));
  const { codes } = (await run("enableTotp", 200, enable({}))).json;
  await run("enableTotp", 409, enable({}));
  await run("logIn", 401, proving("POST", "/login", {}));
  const login = await run("logIn", 201, proving("POST", "/login", { code: codes[0] }));
  await run("logIn", 401, proving("POST", "/login", { code: codes[0] }));
  const asBob = await web.client({ authorization: `Bearer ${login.json.token}` });
  const state = (await run("totp", 200, () => send(asBob, "GET", "/account/totp"))).json;
  assert.deepEqual(state, { enabled: true, required: false, recoveryCodes: 9 });
  const renew = (code: string) => proving("POST", "/account/totp/recovery", { code });
  const fresh = (await run("renewRecoveryCodes", 200, renew(codes[1]))).json.codes;
  await run("renewRecoveryCodes", 401, renew(codes[2]));
  const changed = { password: "bob-second", old: "bob-secret" };
  const passwd = (value: object) => () => send(asBob, "PUT", "/account/password", value);
  await run("changePassword", 401, passwd(changed));
  await run("changePassword", 204, passwd({ ...changed, code: fresh[0] }));
  const disable = (code: string) =>
    proving("POST", "/account/totp/disable", { password: "bob-second", code });
  await run("disableTotp", 401, disable(fresh[0]));
  await run("disableTotp", 204, disable(fresh[1]));
  const none = { totp: false };
  await run("changeAccount", 200, () => send(admin, "PATCH", "/accounts/bob", none));
  await run("changeAccount", 403, () => send(admin, "PATCH", "/accounts/root", none));
  await run("removeAccount", 200, () => send(admin, "DELETE", "/accounts/bob"));
  const carl = { name: "carl", password: "carl-secret", limit: 1000 };
  await run("register", 201, () => send(stranger, "POST", "/account", carl));
  await run("register", 409, () => send(stranger, "POST", "/account", carl));
  await run("register", 403, () => send(stranger, "POST", "/account", { ...carl, limit: 6e6 }));
  await run("register", 400, () => send(stranger, "POST", "/account", { ...carl, ...short }));
  const asCarl = await web.client(basic("carl"));
  await run("changePassword", 400, () => send(asCarl, "PUT", "/account/password", short));
  await run(
    "changePassword",
    204,
    () => send(asCarl, "PUT", "/account/password", { password: "yyyyyyyy" }),
  );
  await run("nodes", 403, () => send(anna, "GET", "/nodes"));
  await run("nodes", 200, () => send(admin, "GET", "/nodes"));
  await run("audit", 403, () => send(anna, "GET", "/audit"));
  await run("audit", 400, () => send(admin, "GET", "/audit?before=x"));
  const trail = await run("audit", 200, () => send(admin, "GET", "/audit?account=bob&limit=2"));
  assert.deepEqual(trail.json.records.map(({ event }: { event: string }) => event), [
    "account-removed",
    "account-changed",
  ]);
  await run("description", 200, () => send(stranger, "GET", "/openapi.json"));
  assert.deepEqual(operations.map(({ id }) => id).filter((id) => !done.has(id)), []);
});

function check({ answers, problems }: Operation, answer: Answer, status: number): void {
  assert.equal(answer.status, status, answer.text);
  const described = answers[status];
  assert.ok(described ?? problems?.[status], `${status} is not described`);
  if (status >= 400) {
    v.parse(problem, answer.json);
  } else if (described.schema) {
    assert.match(answer.headers.get("content-type")!, /^application\/json/);
    v.parse(described.schema, answer.json);
  } else if (!described.types) assert.equal(answer.bytes.length, 0);
}
