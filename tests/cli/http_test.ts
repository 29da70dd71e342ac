/** The HTTP door as people and their scripts meet it: the real program, and curl. */
import assert from "node:assert/strict";
import { startServer } from "../_server.ts";
import { pairFor } from "../core/net/_tls.ts";
import { pattern, sha256 } from "../core/door/_peer.ts";
import { basic, Client } from "../core/door/http/_client.ts";
import { Home } from "./_barge.ts";

const files = "/api/v1/files/home";

/** Starts curl with a token of anna, which needs no scrypt in the place of the password. */
function curl(token: string, args: readonly string[], cwd: string): Deno.ChildProcess {
  return new Deno.Command("curl", {
    args: ["--silent", "--show-error", "--user", `anna:${token}`, ...args],
    ...{ cwd, stdin: "piped", stdout: "piped", stderr: "piped" },
  }).spawn();
}

async function run(token: string, args: readonly string[], cwd: string): Promise<string> {
  const child = curl(token, args, cwd);
  await child.stdin.close();
  const { code, stdout, stderr } = await child.output();
  const text = new TextDecoder().decode(stdout);
  assert.equal(code, 0, text + new TextDecoder().decode(stderr));
  return text;
}

Deno.test("curl -T puts a file into a folder, and gets it back from where it stopped", async () => {
  await using server = await startServer({ args: ["--http", "127.0.0.1:0", "--native", "off"] });
  await using home = new Home();
  await server.addUser("anna", { quota: "2000000" });
  const token = await server.issueToken("anna");
  const bytes = pattern(1_500_000);
  Deno.writeFileSync(`${home.path}/some file`, bytes);
  const url = `http://${server.facts.http}${files}/`;
  const put = JSON.parse(await run(token, ["-T", "some file", url], home.path));
  assert.deepEqual([put.path, put.sha256], ["/home/some file", sha256(bytes)]);

  Deno.writeFileSync(`${home.path}/half`, bytes.subarray(0, 1_000_000));
  await run(token, ["-C", "-", "-o", "half", `${url}some%20file`], home.path);
  assert.equal(sha256(Deno.readFileSync(`${home.path}/half`)), sha256(bytes));

  // What has no room is not even sent.
  Deno.writeFileSync(`${home.path}/large`, new Uint8Array(3_000_000));
  const told = await run(
    token,
    [
      "--expect100-timeout",
      "60",
      "-H",
      "Expect: 100-continue",
      "-T",
      "large",
      "-w",
      "\n%{http_code} %{size_upload}",
      url,
    ],
    home.path,
  );
  assert.match(told, /\n507 0$/);
  assert.match(told, /"kind":"over-quota"/);
});

Deno.test("what a stop cut off goes on after the next start", async () => {
  await using home = new Home();
  const data = `${home.path}/data`;
  Deno.mkdirSync(data);
  const args = ["--http", "127.0.0.1:0", "--native", "off"];
  const bytes = pattern(800_000);
  let token: string;
  {
    await using server = await startServer({ data, args: [...args, "--grace", "0"] });
    await server.addUser("anna");
    token = await server.issueToken("anna");
    using anna = await Client.open(server.facts.http!, basic("anna", token));
    await anna.begin("PUT", `${files}/f`, { "content-length": "800000", "expect": "100-continue" });
    assert.equal((await anna.answer()).status, 100);
    await anna.send(bytes.subarray(0, 500_000));
    using other = await Client.open(server.facts.http!, basic("anna", token));
    while ((await other.ask("GET", `${files}/f?stat`)).json.upload.offset < 500_000);
    assert.equal(await server.kill("SIGTERM"), 0);
  }
  await using server = await startServer({ data, args });
  using anna = await Client.open(server.facts.http!, basic("anna", token));
  const upload = "/api/v1/uploads/home/f";
  const { headers } = await anna.ask("HEAD", upload, { "tus-resumable": "1.0.0" });
  assert.equal(headers.get("upload-offset"), "500000");
  const done = await anna.ask("PATCH", upload, {
    "upload-offset": "500000",
    "content-type": "application/offset+octet-stream",
  }, bytes.subarray(500_000));
  assert.equal(done.status, 204);
  assert.equal(sha256((await anna.ask("GET", `${files}/f`)).bytes), sha256(bytes));
});

Deno.test("HTTPS: SIGHUP shows a renewed certificate, and an upload under way goes on", async () => {
  await using home = new Home();
  const [one, two] = [await pairFor(), await pairFor()];
  const [cert, key] = [`${home.path}/box.pem`, `${home.path}/box.key`];
  Deno.writeTextFileSync(cert, one.cert);
  Deno.writeTextFileSync(key, one.key);
  Deno.writeTextFileSync(`${home.path}/one.pem`, one.cert);
  const args = ["--http", "127.0.0.1:0", "--native", "off", "--tls-cert", cert, "--tls-key", key];
  await using server = await startServer({ args: [...args, "--workers", "2"] });
  await server.addUser("anna");
  const token = await server.issueToken("anna");
  const url = `https://${server.facts.http}${files}/f`;
  const upload = curl(token, ["--cacert", "one.pem", "-T", "-", url], home.path);
  const input = upload.stdin.getWriter();
  await input.write(pattern(300_000));
  const stat = () => run(token, ["--insecure", "-w", "%{http_code}", `${url}?stat`], home.path);
  while (!(await stat()).endsWith("200")); // until it has begun

  Deno.writeTextFileSync(key, two.key);
  Deno.writeTextFileSync(cert, two.cert);
  server.signal("SIGHUP");
  const healthz = `https://${server.facts.http}/healthz`;
  for (let row = 0; row < 6;) { // both workers answer in turn, by the kernel's choice
    const child = curl(token, ["--cacert", cert, healthz], home.path);
    await child.stdin.close();
    row = (await child.output()).code === 0 ? row + 1 : 0;
  }
  await input.write(pattern(1000, 1));
  await input.close();
  const { code, stdout } = await upload.output();
  assert.equal(code, 0);
  assert.equal(JSON.parse(new TextDecoder().decode(stdout)).size, 301_000);
});
