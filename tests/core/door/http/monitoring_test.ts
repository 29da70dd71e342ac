/** Tests health checks and metrics. */
import assert from "node:assert/strict";
import { api, Web } from "./_web.ts";

Deno.test("health, readiness and metrics are answered", async () => {
  await using web = await Web.start();
  const stranger = await web.client();
  assert.equal((await stranger.ask("GET", "/healthz")).text, "ok\n");
  assert.equal((await stranger.ask("GET", "/readyz")).text, "ready\n");
  const anna = await web.user("anna");
  await anna.ask("PUT", `${api}/files/home/f`, {}, "12345");
  await anna.ask("GET", `${api}/files/home/f`);
  await anna.ask("GET", "/healthz"); // the previous request is counted by then
  const root = await web.user("root", null, "admin");
  const metrics = await root.ask("GET", "/metrics");
  assert.equal(metrics.headers.get("content-type"), "text/plain; version=0.0.4; charset=utf-8");
  assert.match(metrics.text, /^barge_connections\{door="http"\} 3$/m);
  assert.match(metrics.text, /^barge_received_bytes_total\{door="http"\} 5$/m);
  assert.match(metrics.text, /^barge_sent_bytes_total\{door="http"\} 5$/m);
  assert.match(metrics.text, /verb="put",outcome="ok"\} 1$/m);
});

Deno.test("the metrics are for admins, also on this machine", async () => {
  await using web = await Web.start();
  const stranger = await web.client();
  assert.equal((await stranger.ask("GET", "/metrics")).status, 401);
  assert.equal((await (await web.user("anna")).ask("GET", "/metrics")).status, 403);
  const root = await web.user("root", null, "admin");
  assert.equal((await root.ask("GET", "/metrics")).status, 200);
});

Deno.test("a metrics listener shows the metrics to everybody, and nothing else", async () => {
  await using web = await Web.start({}, {}, {}, undefined, { metricsOnly: true });
  const stranger = await web.client();
  assert.match((await stranger.ask("GET", "/metrics")).text, /^barge_build_info/m);
  assert.equal((await stranger.ask("GET", "/metrics", { host: "evil.example" })).status, 421);
  for (const path of ["/", "/login", `${api}/quota`, "/dav/", "/s/x"]) {
    assert.equal((await stranger.ask("GET", path)).status, 404, path);
  }
});

Deno.test("every response has the security headers", async () => {
  await using web = await Web.start();
  const anna = await web.user("anna");
  await anna.ask("PUT", `${api}/files/home/evil.html`, {}, "<script>alert(1)</script>");
  for (const target of [`${api}/files/home/evil.html`, `${api}/quota`, "/healthz", "/none"]) {
    const { headers } = await anna.ask("GET", target);
    assert.equal(headers.get("x-content-type-options"), "nosniff", target);
    assert.equal(headers.get("referrer-policy"), "no-referrer", target);
    const policy = headers.get("content-security-policy")!;
    assert.match(policy, /default-src 'none'.*sandbox/, target);
    assert.doesNotMatch(policy, /unsafe/, target);
  }
});

Deno.test("unknown URLs and OPTIONS are answered", async () => {
  await using web = await Web.start();
  const client = await web.client();
  assert.equal((await client.ask("GET", "/none")).status, 404);
  const options = await client.ask("OPTIONS", `${api}/files/home`);
  assert.deepEqual([options.status, options.headers.get("allow")], [
    204,
    "GET, PUT, DELETE, HEAD, OPTIONS",
  ]);
  assert.equal((await client.ask("OPTIONS", "*")).status, 204);
  const kind = await client.ask("GET", "/problems/over-quota");
  assert.equal(kind.text, "over-quota: the account has no room for it\n");
});
