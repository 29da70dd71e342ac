/** Certificates by ACME, from Debian's pebble with its deliberate faults. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { connect } from "../../core/client/connect.ts";
import { login } from "../../core/client/login.ts";
import { parseRemote } from "../../core/client/remote.ts";
import { type Status, status } from "../../core/client/status.ts";
import { parseFingerprint } from "../../core/net/fingerprint.ts";
import { until } from "../_observe.ts";
import { type Server, type ServerOptions, startServer } from "../_server.ts";
import { pattern } from "../core/door/_peer.ts";
import { Home } from "./_barge.ts";
import { hasPebble, Pebble } from "./_pebble.ts";
import { isPebbles, shownBy } from "./_shown.ts";

const ignore = !hasPebble;
const text = new TextDecoder();

const allDoors = ["--http", "127.0.0.1:0", "--ftp", "127.0.0.1:0", "--ftps", "127.0.0.1:0"];

/** Starts a server that gets its certificate from pebble. Without more doors it has the native one. */
async function startAt(pebble: Pebble, args: readonly string[], options: ServerOptions = {}) {
  const all = ["--tls", ...pebble.args, ...args];
  const server = await startServer({ ...options, args: all });
  pebble.lead({ http: server.facts.acmeHttp, tls: server.facts.http });
  return server;
}

/** Returns the server's end of the certificate, as its status shows it to an admin. */
async function statusOf(server: Server): Promise<NonNullable<Status["certificate"]>> {
  server.changeUser("anna", { role: "admin" });
  const pin = parseFingerprint((await shownBy(server.address)).fingerprint256);
  const trust = { knownHosts: undefined, pin };
  await using client = await connect({ ...parseRemote(server.address), trust });
  await login(client, { token: await server.issueToken("anna") });
  return (await status(client)).certificate!;
}

/** Returns the names in the folder of the records. */
function records(server: Server, folder = ""): string[] {
  return Array.from(Deno.readDirSync(`${server.data}/acme${folder}`), ({ name }) => name).sort();
}

Deno.test("a server gets a certificate from its authority", { ignore }, async (t) => {
  await using pebble = await Pebble.start();
  await t.step("for two domains by HTTP, and every door shows it", async () => {
    const args = ["--acme", "a.example,B.example", "--acme-email", "ann@a.example"];
    await using server = await startAt(pebble, [
      ...[...allDoors, ...args, "--acme-http", "127.0.0.1:0"],
    ]);
    await server.addUser("anna");
    await server.said("was issued");
    assert.match(server.stderr(), new RegExp(`"acmeHttp":"http://${server.facts.acmeHttp}/"`));
    const { http, ftps } = server.facts;
    for (const address of [server.address, http, ftps]) {
      const { subjectaltname } = await until(async () => {
        const shown = await shownBy(address);
        return isPebbles(shown) ? shown : undefined;
      });
      assert.equal(subjectaltname, "DNS:a.example, DNS:b.example");
    }
    assert.deepEqual(records(server), ["account", "certificate", "challenges", "renewal"]);
    assert.deepEqual(records(server, "/challenges"), []);
    for (const name of ["account", "certificate", "renewal"]) {
      assert.equal(Deno.statSync(`${server.data}/acme/${name}`).mode! & 0o777, 0o600);
    }
    const { until: end, renewal } = await statusOf(server);
    const life = Date.parse(end!) - Date.now();
    const ahead = Date.parse(renewal!.next) - Date.now();
    assert.ok(ahead > 0.6 * life && ahead < 0.67 * life, `${ahead} of ${life}`);
    assert.deepEqual([renewal!.domains, renewal!.failures], [["a.example", "b.example"], 0]);

    await using home = new Home();
    const shown = await home.barge(["cert", "--json", "--data", server.data]);
    assert.deepEqual(JSON.parse(shown.stdout).names, ["a.example", "b.example"]);
  });
  await t.step("by TLS while other clients get the present one", async () => {
    pebble.tls.hang();
    await using server = await startAt(pebble, [
      ...["--http", "127.0.0.1:0", "--acme", "a.example", "--workers", "2"],
    ]);
    await until(() => {
      try {
        return records(server, "/challenges").includes("tls-a.example");
      } catch {
        return false; // there is no folder yet
      }
    });
    const before = await shownBy(server.facts.http);
    assert.equal(before.fingerprint256, (await shownBy(server.address)).fingerprint256);
    assert.equal(before.issuer.CN, "barge");
    pebble.tls.resume();
    await server.said("was issued");
    await until(async () => isPebbles(await shownBy(server.facts.http)));
  });
});

Deno.test("an account is bound to the key that the authority has given to the operator", {
  ignore,
}, async () => {
  const key = "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W";
  await using pebble = await Pebble.start({ externalKeys: { "kid-1": key } });
  await using home = new Home();
  await Deno.writeTextFile(`${home.path}/eab.key`, `${key}\n`);
  const eab = ["--acme-eab-kid", "kid-1", "--acme-eab-key-file", `${home.path}/eab.key`];
  const args = ["--acme", "a.example", "--acme-http", "127.0.0.1:0", ...eab];
  await using server = await startAt(pebble, args);
  await server.said("was issued");
});

Deno.test("without its authority a server serves, shows the next try, and tries again at SIGHUP", {
  ignore,
}, async (t) => {
  await using pebble = await Pebble.start();
  pebble.ca.refuse();
  const data = await Deno.makeTempDir({ prefix: "barge-test-" });
  try {
    const args = ["--acme", "a.example", "--acme-http", "127.0.0.1:0"];
    await t.step("it serves and shows the next try", async () => {
      const web = ["--http", "127.0.0.1:0"];
      await using server = await startAt(pebble, [...args, ...web], { data });
      await server.addUser("anna");
      await server.said("no certificate for a.example");
      assert.equal((await shownBy(server.address)).issuer.CN, "barge");
      const { renewal } = await statusOf(server);
      const minutes = (Date.parse(renewal!.next) - Date.now()) / 60_000;
      assert.ok(minutes > 4 && minutes < 6.5, String(minutes));
      assert.match(renewal!.failed!.why, /refused/i);
      assert.equal(renewal!.failures, 1);

      await using home = new Home();
      const certificate = ["--tls", ...pebble.args, "--acme", "a.example"];
      const doctor = await home.barge(["doctor", "--data", data, ...certificate]);
      assert.match(doctor.stdout, /certificate: The certificate was not renewed: 1 try failed/);

      assert.match(
        await adminPage(server, home),
        /Next try to renew it[^]*Failed renewals[^]*refused/i,
      );
    });
    pebble.ca.listen();
    await using server = await startAt(pebble, args, { data });
    await t.step("a restart does not try sooner", async () => {
      assert.equal((await statusOf(server)).renewal!.failures, 1);
      assert.deepEqual(pebble.requests, []);
    });
    await t.step("a refused domain is named with the authority's reason", async () => {
      pebble.http.refuse();
      server.signal("SIGHUP");
      await server.said("no certificate for a.example");
      assert.match(server.stderr(), /a\.example: .*refused/i);
      assert.deepEqual(records(server, "/challenges"), []);
      pebble.http.listen();
    });
    await t.step("SIGHUP makes it try again", async () => {
      server.signal("SIGHUP");
      await server.said("was issued");
      assert.equal((await statusOf(server)).renewal!.failures, 0);
    });
  } finally {
    await Deno.remove(data, { recursive: true });
  }
});

Deno.test("a certificate is renewed", { ignore }, async (t) => {
  await using pebble = await Pebble.start({ validSeconds: 9 });
  await t.step("without a cut of any door's transfer, and FTP opens data connections", async () => {
    await using server = await startAt(pebble, [
      ...[...allDoors, "--acme", "a.example", "--acme-http", "127.0.0.1:0"],
    ]);
    await server.addUser("anna");
    await server.said("was issued");
    await using home = new Home();
    const token = await server.issueToken("anna");
    for (const name of ["ftp", "ftps"]) {
      Deno.mkdirSync(`${server.data}/homes/anna/${name}`, { recursive: true });
    }
    const { http, ftp, ftps } = server.facts;
    Deno.writeFileSync(`${home.path}/later`, pattern(200_000, 2));
    const login = ["-sS", "-k", "-m", "60", "--ssl", "-u", `anna:${token}`];
    // The second file of FTP takes a new data connection on the same control connection.
    const byFtp = (url: string) => [
      ...[...login, "-T", "-", `${url}/first`, "-:"],
      ...[...login, "-T", "later", `${url}/second`],
    ];
    const uploads = [
      curl(home, [...login, "-T", "-", `https://${http}/api/v1/files/home/web`]),
      curl(home, byFtp(`ftp://${ftp}/home/ftp`)),
      curl(home, byFtp(`ftps://${ftps}/home/ftps`)),
      home.spawn(
        ["put", "--tls", "--server", `barge://anna@${server.address}`, "-", "/home/native"],
        {
          stdin: "",
          env: { BARGE_PASSWORD: await server.issueToken("anna") },
        },
      ),
    ];
    const [head, tail] = [pattern(300_000), pattern(1000, 1)];
    const inputs = uploads.map(({ stdin }) => stdin.getWriter());
    for (const input of inputs) await input.write(head);
    await until(async () => await server.heldUploads() === uploads.length);
    const before = (await shownBy(server.address)).fingerprint256;
    await server.said("was issued", server.stderr().length);
    await until(async () => (await shownBy(server.address)).fingerprint256 !== before);
    for (const input of inputs) {
      await input.write(tail);
      await input.close();
    }
    for (const upload of uploads) {
      const { code, stderr } = await upload.output();
      assert.equal(code, 0, text.decode(stderr));
    }
    const whole = new Uint8Array(Buffer.concat([head, tail]));
    for (const name of ["web", "native", "ftp/first", "ftps/first"]) {
      assert.deepEqual(await server.readFile(`/home/${name}`), whole, name);
    }
    for (const name of ["ftp/second", "ftps/second"]) {
      assert.deepEqual(await server.readFile(`/home/${name}`), pattern(200_000, 2), name);
    }
    assert.doesNotMatch(server.stderr(), /no certificate for/);
  });
  await t.step(
    "by TLS at a native door on port 443, also when the authority has lost the account",
    async () => {
      const args = ["--tls", ...pebble.args, "--acme", "a.example"];
      await using server = await startServer({ args });
      pebble.lead({ tls: server.address });
      await server.said("was issued");
      await until(async () => isPebbles(await shownBy(server.address)));
      await pebble.restart();
      await server.said("was issued", server.stderr().length);
      assert.doesNotMatch(server.stderr(), /accountDoesNotExist/);
    },
  );
});

/** Returns the admin's page, after a login as anna. */
async function adminPage(server: Server, home: Home): Promise<string> {
  const ask = async (path: string, ...args: string[]) => {
    const jar = ["-sS", "-k", "-b", "jar", "-c", "jar"];
    const child = curl(home, [...jar, ...args, `https://${server.facts.http}${path}`]);
    await child.stdin.close();
    return text.decode((await child.output()).stdout);
  };
  const [, csrf] = /name="csrf" value="([^"]+)"/.exec(await ask("/login"))!;
  const fields = Object.entries({ csrf, name: "anna", password: "anna-secret", back: "" });
  await ask("/login", ...fields.flatMap(([name, one]) => ["--data-urlencode", `${name}=${one}`]));
  return await ask("/admin");
}

function curl(home: Home, args: readonly string[]): Deno.ChildProcess {
  return new Deno.Command("curl", {
    args: [...args],
    cwd: home.path,
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

Deno.test("a server that is killed while each of its requests is answered keeps its account", {
  ignore,
}, async () => {
  await using pebble = await Pebble.start({ env: { PEBBLE_WFE_NONCEREJECT: "0" } });
  const data = await Deno.makeTempDir({ prefix: "barge-test-" });
  const args = ["--tls", ...pebble.args, "--acme", "a.example", "--acme-http", "127.0.0.1:0"];
  const killedAt = new Set<string>();
  try {
    while (!killedAt.has("issued")) {
      const reached = Promise.withResolvers<string>();
      pebble.onRequest = (path) => {
        // These two change nothing at the authority.
        if (killedAt.has(path) || ["dir", "nonce-plz"].includes(path)) return;
        pebble.ca.hang(); // the server gets no answer
        reached.resolve(path);
      };
      await using server = await startServer({ data, args });
      pebble.lead({ http: server.facts.acmeHttp });
      const issued = server.said("was issued").then(() => "issued", () => "killed");
      killedAt.add(await Promise.race([reached.promise, issued]));
      await server.kill("SIGKILL");
      pebble.ca.cut();
      pebble.ca.resume();
    }
    const steps = ["chalZ", "finalize-order", "certZ", "order-plz", "sign-me-up"];
    for (const step of steps) assert.ok(killedAt.has(step), step);
    assert.match(pebble.output, /There are now 1 accounts/);
    assert.doesNotMatch(pebble.output, /There are now 2 accounts/);
  } finally {
    await Deno.remove(data, { recursive: true });
  }
});

Deno.test("options that no door can fulfil are refused", async () => {
  await using home = new Home();
  const serve = async (...args: string[]) => {
    const { code, stderr } = await home.barge(["serve", "--data", "box", ...args]);
    assert.equal(code, 2, stderr);
    return stderr;
  };
  assert.match(await serve("--acme", "a.example"), /--acme needs a door with TLS/);
  assert.match(await serve("--acme", "*.a.example", "--tls"), /no wildcard/);
  const eab = ["--acme", "a.example", "--tls", "--acme-eab-kid", "k"];
  assert.match(await serve(...eab), /--acme-eab-kid and --acme-eab-key-file belong together/);
  const lonely = ["--native", "off", "--http", "off", "--ftps", "127.0.0.1:0"];
  assert.match(await serve("--acme", "a.example", ...lonely), /no door answers .*tls-alpn-01/);
  assert.match(
    await serve("--acme", "a.example", "--tls", "--tls-cert", "c", "--tls-key", "k"),
    /--acme .*--tls-cert|--tls-cert .*--acme/,
  );
});
