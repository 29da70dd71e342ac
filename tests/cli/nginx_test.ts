/** The server behind a real nginx, as docs/proxy.md has it: at the root of a host, and below a path. */
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { doors } from "../core/door/_enter.ts";
import { barge, startServer } from "../_server.ts";
import { type Behind, behind } from "./_behind_nginx.ts";
import { has } from "./_sftp.ts";
import { documented, hasStream, Nginx } from "./_nginx.ts";

/** Declares a test that needs programs; where one is missing it says so. */
function test(
  needed: Record<string, boolean>,
  name: string,
  fn: (t: Deno.TestContext) => Promise<void>,
): void {
  const missing = Object.keys(needed).filter((each) => !needed[each]);
  const why = missing.length > 0 ? ` (skipped: there is no ${missing.join(", no ")})` : "";
  Deno.test({ name: name + why, ignore: missing.length > 0, fn });
}

const tools = { nginx: has("nginx"), python3: has("python3"), curl: has("curl") };

const field = (head: string, name: string) =>
  new RegExp(`^${name}: (.*)\r$`, "im").exec(head)?.[1] ?? "";

test(tools, "behind nginx at /: cookies, assets, links, tus and WebDAV; bans", async (t) => {
  await using it = await behind("");
  await t.step("cookies, assets, links, tus and WebDAV", () => serveAtPrefix(it, ""));
  await t.step(
    "behind nginx the client is banned, not the proxy; nobody else is kept out",
    () => banClient(it),
  );
});

test(
  tools,
  "behind nginx at /files/: cookies, assets, links, tus and WebDAV",
  async () => {
    await using it = await behind("/files");
    await serveAtPrefix(it, "/files");
  },
);

async function serveAtPrefix(it: Behind, prefix: "" | "/files"): Promise<void> {
  const { url, curl, server } = it;
  const alice = ["-u", `alice:${await server.issueToken("alice")}`];

  // The page: its login gives a cookie for TLS, and all that it names is there.
  const jar = ["-b", `${server.data}/jar`, "-c", `${server.data}/jar`];
  const form = await curl(...jar, `${url}/login`);
  assert.equal(form.status, 200);
  const [, csrf] = /name="csrf" value="([^"]+)"/.exec(form.body)!;
  const fields = { csrf, name: "alice", password: "alice-secret", back: "" };
  const login = await curl(
    ...[...jar, "-H", `Origin: https://${new URL(url).host}`],
    ...Object.entries(fields).flatMap(([k, v]) => ["--data-urlencode", `${k}=${v}`]),
    `${url}/login`,
  );
  assert.equal(login.status, 303, login.body);
  assert.equal(field(login.head, "location"), `${prefix}/files/home/`);
  assert.match(
    field(login.head, "set-cookie"),
    prefix ? /^__Secure-barge=.*Path=\/files;.*; Secure/ : /^__Host-barge=.*Path=\/;.*; Secure/,
  );
  const home = await curl(...jar, `${url}/files/home/`);
  assert.equal(home.status, 200);
  const targets = new Set(
    Array.from(home.body.matchAll(/ (?:href|src)="(\/[^"#]*)/g), ([, target]) => target),
  );
  assert.ok(targets.size > 6);
  for (const target of targets) {
    assert.ok(target.startsWith(`${prefix}/`), target);
    const { status } = await curl(...jar, new URL(target.replaceAll("&amp;", "&"), url).href);
    assert.equal(status, 200, target);
  }

  // More than nginx lets through by default, in one body.
  const bytes = randomBytes(3_000_000);
  const file = `${server.data}/3MB`;
  await Deno.writeFile(file, bytes);
  const put = await curl(...alice, "-T", file, `${url}/api/v1/files/home/`);
  assert.equal(put.status, 201, put.body);
  assert.match(put.body, new RegExp(createHash("sha256").update(bytes).digest("hex")));

  // tus: Location leads to the upload.
  const tus = ["-H", "Tus-Resumable: 1.0.0"];
  const made = await curl(
    ...[...alice, ...tus, "-X", "POST", "-H", "Upload-Length: 5"],
    `${url}/api/v1/uploads/home/hello`,
  );
  assert.equal(made.status, 201, made.body);
  const upload = new URL(field(made.head, "location"), url).href;
  const patched = await curl(
    ...[...alice, ...tus, "-X", "PATCH", "-H", "Upload-Offset: 0", "--data-binary", "hello"],
    ...["-H", "Content-Type: application/offset+octet-stream", upload],
  );
  assert.equal(patched.status, 204, patched.body);

  // WebDAV: hrefs come back as they are to be asked for, and Destination is understood.
  const dav = `${url}/dav/home`;
  const listed = await curl(...alice, "-X", "PROPFIND", "-H", "Depth: 1", `${dav}/`);
  assert.match(listed.body, new RegExp(`<D:href>${prefix}/dav/home/hello</D:href>`));
  for (const [method, to] of [["COPY", "copied"], ["MOVE", "moved"]]) {
    const from = `${dav}/${method === "COPY" ? "hello" : "copied"}`;
    const done = await curl(...alice, "-X", method, "-H", `Destination: ${dav}/${to}`, from);
    assert.equal(done.status, 201, done.body);
  }
  assert.equal((await curl(...alice, `${dav}/moved`)).body, "hello");
  const outside = `Destination: https://${new URL(url).host}${prefix ? "" : "/x"}/dav/home/out`;
  const refused = await curl(...alice, "-X", "COPY", "-H", outside, `${dav}/moved`);
  assert.equal(refused.status, 502, refused.body);

  // A share link is whole, and leads to the file without a login.
  const share = await curl(
    ...[...alice, "-H", "Content-Type: application/json", "-d", '{"path":"/home/hello"}'],
    `${url}/api/v1/shares`,
  );
  const link = JSON.parse(share.body).url as string;
  assert.ok(link.startsWith(`${url}/s/`), link);
  const shown = await curl(link);
  assert.equal(shown.status, 200);
  const [, get] = / href="([^"]+\/get\/[^"]+)"/.exec(shown.body)!;
  assert.equal((await curl(new URL(get, url).href)).body, "hello");
  assert.doesNotMatch(server.stderr(), new RegExp(link.slice(-43)));
}

async function banClient(it: Behind): Promise<void> {
  const { url, curl, server } = it;
  // nginx appends the address that it sees to what the client says: from 127.0.0.3 here.
  const from = (address: string, ...args: string[]) =>
    curl("--interface", address, "-H", "X-Forwarded-For: 198.51.100.1", ...args);
  const quota = `${url}/api/v1/quota`;
  assert.equal((await from("127.0.0.3", "-u", "alice:alice-secret", quota)).status, 200);
  await server.said('"account":"alice","door":"http","address":"127.0.0.3:0"');
  // A trusted proxy before nginx names the client: 203.0.113.66, whom nobody else pays for.
  const direct = async (client: string, user: string) => {
    const { hostname, port } = new URL(`http://${server.facts.http}`);
    const answer = await fetch(`http://${hostname}:${port}/api/v1/quota`, {
      headers: { authorization: `Basic ${btoa(user)}`, "x-forwarded-for": client },
    });
    await answer.body?.cancel();
    return answer.status;
  };
  for (let i = 0; i < 4; i++) assert.equal(await direct("203.0.113.66", "alice:wrong"), 401);
  const { stdout } = await barge(["ban", "list", "--json", ...server.storage]);
  const bans = stdout.split("\n").filter(Boolean).map((line) => JSON.parse(line));
  assert.deepEqual(bans.map(({ account, address }) => `${account} ${address}`).sort(), [
    "alice null",
    "null 203.0.113.66",
  ]);
  assert.equal(await direct("203.0.113.66", "bob:bob-secret"), 401);
  assert.equal(await direct("203.0.113.9", "bob:bob-secret"), 200);
  assert.equal((await from("127.0.0.3", "-u", "bob:bob-secret", quota)).status, 200);
}

test(
  { ...tools, "nginx's stream module": hasStream() },
  "nginx passes the native protocol and SFTP on with PROXY headers",
  async () => {
    await using nginx = await Nginx.reserve(2);
    const [native, sftp] = nginx.ports;
    await using server = await startServer({
      args: [
        ...["--sftp", "127.0.0.1:0", "--workers", "1", "--tls"],
        ...["--trusted-proxy", "127.0.0.2", "--proxy-protocol"],
      ],
    });
    await server.addUser("alice");
    await nginx.run(await documented("proxy_bind 127.0.0.2;"), {
      "listen 7171": `listen 127.0.0.1:${native}`,
      "listen 2222": `listen 127.0.0.1:${sftp}`,
      "127.0.0.1:17171": server.address,
      "127.0.0.1:12222": server.facts.sftp!,
    });
    const home = await Deno.makeTempDir({ prefix: "barge-home-" });
    const token = await server.issueToken("alice");
    const pinned = ["--tls", "--pin", server.facts.fingerprint!];
    for (const at of [`127.0.0.1:${native}`, server.address]) { // and without it, in no need of one
      const { code, stderr } = await barge([
        "ls",
        ...pinned,
        "--server",
        `barge://alice@${at}`,
        "/",
      ], {
        env: { HOME: home, BARGE_PASSWORD: token },
      });
      assert.equal(code, 0, stderr);
    }
    assert.ok(await doors.sftp(`127.0.0.1:${sftp}`, "alice", token));
    await server.said('"door":"sftp","address":"127.0.0.1:');
    await server.kill("SIGTERM");
    assert.doesNotMatch(server.stderr(), /"address":"127\.0\.0\.2:/);
    await Deno.remove(home, { recursive: true });
  },
);
