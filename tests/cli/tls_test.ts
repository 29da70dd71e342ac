/** TLS between the real server and the real client. */
import assert from "node:assert/strict";
import { connect } from "../../core/client/connect.ts";
import { login } from "../../core/client/login.ts";
import { parseRemote } from "../../core/client/remote.ts";
import { parseAddress } from "../../core/net/address.ts";
import { dialTls } from "../../core/net/dial_tls.ts";
import { parseFingerprint } from "../../core/net/fingerprint.ts";
import { encodeFrame } from "../../core/protocol/frame.ts";
import { until } from "../_observe.ts";
import { type Server, startServer } from "../_server.ts";
import { pairFor } from "../core/net/_tls.ts";
import { Home, lines } from "./_barge.ts";
import { saveLogin } from "./_logged_in.ts";

const secret = { BARGE_PASSWORD: "anna-secret" };
const otherMark = `SHA256:${"A".repeat(43)}`;

function markOf(server: Server): string {
  return JSON.parse(server.stdout().split("\n")[0]).fingerprint;
}

/** Returns the certificate that the server shows now. */
async function shownBy(address: string): Promise<string> {
  const { pipe, presented } = await dialTls(parseAddress(address), AbortSignal.timeout(10_000));
  pipe.close();
  return presented.fingerprint;
}

Deno.test("clients trust a server by its fingerprint", async (t) => {
  await using server = await startServer({
    args: ["--tls", "--http", "127.0.0.1:0", "--ftps", "127.0.0.1:0", "--allow-register"],
  });
  await server.addUser("anna");
  await t.step(
    "first use prints one line, later ones none, and a login remembers TLS",
    async () => {
      await using home = new Home();
      const mark = markOf(server);
      const remote = `barge://anna@${server.address}`;

      const first = await home.barge(["login", "--tls", remote], { env: secret });
      assert.equal(first.code, 0, first.stderr);
      const said = first.stderr.split("\n").filter((line) => line.includes("SHA256:"));
      assert.equal(said.length, 1, first.stderr);
      assert.ok(said[0].includes(server.address) && said[0].includes(mark), said[0]);
      const file = `${home.path}/.config/barge/known_hosts`;
      assert.match(Deno.readTextFileSync(file), /^127\.0\.0\.1:\d+ SHA256:\S+ 20\S+Z\n$/);
      assert.equal(Deno.statSync(file).mode! & 0o777, 0o600);

      Deno.writeTextFileSync(`${home.path}/a.txt`, "hello");
      const put = await home.barge(["put", "-q", "a.txt", "/home/"]);
      assert.deepEqual([put.code, put.stderr], [0, ""]);
      const shell = await home.barge(["shell"], { stdin: "ls\n" });
      assert.equal(shell.code, 0, shell.stderr);
      assert.match(shell.stdout, /a\.txt/);
      assert.equal((await home.barge(["logout"])).code, 0);
    },
  );

  await t.step(
    "cron without a saved login: first use is accepted, from the variables alone",
    async () => {
      await using home = new Home();
      Deno.writeTextFileSync(`${home.path}/a.txt`, "hello");
      const env = { ...secret, BARGE_SERVER: `barge://anna@${server.address}`, BARGE_TLS: "1" };
      const { code, stderr } = await home.barge(["put", "-q", "a.txt", "/home/"], { env });
      assert.equal(code, 0, stderr);
      assert.match(stderr, /^barge: trusting 127\.0\.0\.1:\d+ from here on, .*SHA256:\S+\n$/);
    },
  );

  await t.step("a changed certificate is refused with 15, until it is forgotten", async () => {
    await using home = new Home();
    const mark = markOf(server);
    const ping = ["ping", "--tls", `barge://${server.address}`];
    assert.equal((await home.barge(ping)).code, 0);
    const file = `${home.path}/.config/barge/known_hosts`;
    Deno.writeTextFileSync(file, Deno.readTextFileSync(file).replace(mark, otherMark));

    const refused = await home.barge(ping);
    assert.equal(refused.code, 15);
    assert.ok(refused.stderr.includes(mark) && refused.stderr.includes(otherMark), refused.stderr);
    const [, todo] = /: (barge cert --forget \S+?)[;)]/.exec(refused.stderr) ?? [];
    assert.ok(todo, refused.stderr);

    const looked = await home.barge(["cert", server.address, "--json"]);
    assert.equal(looked.code, 15);
    const [{ fingerprint, pinned, vouched }] = lines(looked);
    assert.deepEqual({ fingerprint, pinned, vouched }, {
      fingerprint: mark,
      pinned: false,
      vouched: false,
    });

    assert.equal((await home.barge(todo.split(" ").slice(1))).code, 0);
    assert.equal((await home.barge(["cert", "--forget", server.address])).code, 4);
    assert.equal((await home.barge(ping)).code, 0);
    assert.equal((await home.barge(["cert", server.address])).code, 0);
  });

  await t.step("register prints the command of the login with the option for TLS", async () => {
    await using home = new Home();
    const pin = ["--pin", markOf(server)];
    for (const [name, options] of [["yan", ["--tls"]], ["zoe", pin]] as const) {
      const args = ["register", `${name}@${server.address}`, ...options];
      const made = await home.barge(args, { env: secret });
      assert.equal(made.code, 0, made.stderr);
      const next = ["login", ...options, `barge://${name}@${server.address}`];
      assert.ok(made.stderr.endsWith(`\ntry: barge ${next.join(" ")}\n`), made.stderr);
      if (name === "zoe") assert.equal((await home.barge(next, { env: secret })).code, 0);
    }
  });

  await t.step("--pin: the right one, in ssh's and in openssl's form, and another", async () => {
    await using home = new Home();
    const mark = markOf(server);
    const hex = Array.from(
      atob(mark.slice(7)),
      (c) => c.charCodeAt(0).toString(16).padStart(2, "0"),
    );
    const ping = (pin: string) => home.barge(["ping", `barge://${server.address}`, "--pin", pin]);
    assert.equal((await ping(mark)).code, 0);
    assert.equal((await ping(`sha256 Fingerprint=${hex.join(":").toUpperCase()}`)).code, 0);
    const other = await ping(otherMark);
    assert.equal(other.code, 15);
    assert.match(other.stderr, /--pin demands/);
    assert.equal((await ping("SHA256:abc")).code, 2);
    const variable = { env: { BARGE_PIN: otherMark, BARGE_SERVER: server.address } };
    assert.equal((await home.barge(["ping"], variable)).code, 15);
  });

  await t.step("a client at a port of another protocol learns that", async () => {
    const { http, native, ftps } = server.facts;
    const web = "this port speaks HTTPS, and the request is plain HTTP.*use https://";
    const other = "this port takes TLS connections of another protocol, and no HTTP";
    for (const [address, why] of [[http, web], [native, other], [ftps, other]]) {
      for (const size of [1, 5_000]) {
        const headers = { cookie: "x".repeat(size) };
        const response = await fetch(`http://${address}/files/`, { headers });
        assert.equal(response.status, 400);
        assert.match(await response.text(), new RegExp(why!));
      }
    }
    await using home = new Home();
    const named = await home.barge(["ping", `http://${http}`]);
    assert.equal(named.code, 2);
    assert.match(named.stderr, /barge:\/\/ has a port of its own, which `barge serve` prints/);
    const secure = await home.barge(["ping", "--tls", `barge://${http}`]);
    assert.equal(secure.code, 15);
    assert.match(
      secure.stderr,
      /the server speaks TLS there, but not barge's protocol\n\(.*port of its own/,
    );
    const refused = await home.barge(["ping", "--tls", `barge://${ftps}`]);
    assert.equal(refused.code, 15);
    assert.match(
      refused.stderr,
      /the server refused the TLS handshake\n\(.*FTPS: .*port of its own/,
    );
  });

  await t.step(
    "a connection with TLS on one side only fails at once, with 15 and a hint",
    async () => {
      await using home = new Home();
      await using plain = await startServer();
      await plain.addUser("anna");
      const one = await home.barge(["ping", `barge://${server.address}`]);
      assert.equal(one.code, 15);
      assert.match(
        one.stderr,
        /the server speaks TLS, and this connection is plain\n\(use --tls\)/,
      );
      await saveLogin(home, plain, "anna", { tls: true });
      const reasons = [
        [["--tls"], /use --plaintext in place of --tls/],
        [["--pin", otherMark], /use --plaintext in place of --pin/],
        [
          [],
          new RegExp(
            `the saved login barge://anna@${plain.address} was made over TLS: .*use --plaintext, or ` +
              `save a login without TLS by \`barge login --plaintext barge://anna@${plain.address}\``,
          ),
        ],
      ] as const;
      for (const [options, hint] of reasons) {
        const other = await home.barge(["ping", ...options, `barge://${plain.address}`]);
        // A server that hangs up may be busy: 5, with the same message.
        assert.ok(other.code === 15 || other.code === 5, other.stderr);
        assert.match(other.stderr, /TLS.*\n\(/);
        assert.match(other.stderr, hint);
      }
      assert.equal((await home.barge(["ls", "--plaintext"])).code, 0);
      await plain.addUser("bob");
      const toBob = ["login", "--password-stdin", `barge://bob@${plain.address}`];
      const hinted = await home.barge(toBob, { stdin: "bob-secret\n" });
      assert.match(hinted.stderr, /saved login \S+anna@.* by `barge login --plaintext \S+bob@/);
      const byBob = ["login", "--plaintext", "--password-stdin", `barge://bob@${plain.address}`];
      assert.equal((await home.barge(byBob, { stdin: "bob-secret\n" })).code, 0);
      const ofAnna = await home.barge(["ls", "--server", `barge://anna@${plain.address}`]);
      assert.match(ofAnna.stderr, /the saved login barge:\/\/anna@\S+ was made over TLS/);
    },
  );

  await t.step(
    "cert prints the certificate that serve made, and reports that there is none",
    async () => {
      await using home = new Home();
      const none = await home.barge(["cert", "--data", "d"]);
      assert.equal(none.code, 4);
      const shown = await home.barge(["cert", ...server.storage, "--json"]);
      assert.equal(shown.code, 0, shown.stderr);
      const [{ fingerprint, names, until }] = lines(shown);
      assert.equal(fingerprint, markOf(server));
      assert.ok(names.includes("localhost") && names.includes("127.0.0.1"));
      assert.match(until, /^20\d\d-.*Z$/);
      const text = await home.barge(["cert", ...server.storage]);
      assert.equal(text.stdout.split("\n")[0], fingerprint);
    },
  );
});

Deno.test("--tls and --plaintext exclude each other", async () => {
  await using home = new Home();
  const both = ["--tls", "--plaintext"];
  assert.equal((await home.barge(["ping", "barge://127.0.0.1:1", ...both])).code, 2);
  assert.equal((await home.barge(["serve", "--data", "d", ...both])).code, 2);
  assert.equal((await home.barge(["serve", "--data", "d", "--tls-cert", "x.pem"])).code, 2);
  const pin = ["--plaintext", "--pin", otherMark];
  assert.equal((await home.barge(["ping", "barge://127.0.0.1:1", ...pin])).code, 2);
  assert.throws(() => Deno.statSync(`${home.path}/d`), Deno.errors.NotFound);
});

Deno.test("serve on all addresses uses TLS, unless --plaintext is given, and prints an address that a client can connect to", async () => {
  await using home = new Home();
  for (const more of [[], ["--plaintext"]]) {
    const args = [
      "serve",
      "--json",
      "--data",
      "d",
      "--native",
      "0.0.0.0:0",
      "--http",
      "off",
      "--workers",
      "1",
    ];
    const child = home.spawn([...args, ...more]);
    const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
    const { native, fingerprint } = JSON.parse((await reader.read()).value ?? "");
    const port = native.slice(native.lastIndexOf(":") + 1);
    if (more.length > 0) assert.equal(fingerprint, null);
    else assert.equal(await shownBy(`127.0.0.1:${port}`), fingerprint);
    let said = "";
    for await (const text of child.stderr.pipeThrough(new TextDecoderStream())) {
      said += text;
      if (/"message":"barge serves .*\n/.test(said)) break;
    }
    child.kill("SIGTERM");
    await reader.cancel();
    assert.equal((await child.status).code, 0);
    for (const line of said.trim().split("\n")) JSON.parse(line);
    assert.equal(said.match(/"native":"barge:\/\/(.+?):\d+"/)?.[1], Deno.hostname());
  }
});

Deno.test("without a terminal, the output of serve is JSON, with URLs that can be opened", async () => {
  const doors = ["--http", "127.0.0.1:0", "--ftp", "127.0.0.1:0", "--workers", "1"];
  for (const tls of [false, true]) {
    const more = tls ? ["--tls"] : ["--log-level", "error"];
    await using server = await startServer({ args: [...doors, ...more] });
    await server.said('"message":"barge serves ');
    assert.equal(await server.kill("SIGTERM"), 0);
    const records = server.stderr().trim().split("\n").map((line) => JSON.parse(line));
    const { properties } = records.find(({ message }) => message === `barge serves ${server.data}`);
    const { native, http, ftp } = server.facts;
    assert.equal(properties.native, `barge://${native}`);
    assert.equal(properties.http, `${tls ? "https" : "http"}://${http}/`);
    assert.equal(properties.ftp, `ftp://${ftp}`);
    assert.equal(properties.fingerprint, server.facts.fingerprint);
  }
});

Deno.test("cert prints the certificate of --tls-cert, also after a reload", async () => {
  await using home = new Home();
  const [one, two] = [await pairFor(), await pairFor()];
  const file = `${home.path}/box.pem`;
  const install = ({ cert, key }: typeof one) => {
    Deno.writeTextFileSync(file, cert);
    Deno.writeTextFileSync(`${home.path}/box.key`, key);
  };
  install(one);
  const args = ["--tls-cert", file, "--tls-key", `${home.path}/box.key`, "--workers", "1"];
  await using server = await startServer({ args });
  const cert = () => home.barge(["cert", "--json", ...server.storage]);
  const [shown] = lines(await cert());
  assert.deepEqual([shown.fingerprint, shown.file], [one.mark, file]);
  install(two);
  server.signal("SIGHUP");
  await server.said("the certificate was reloaded");
  assert.equal(lines(await cert())[0].fingerprint, two.mark);
  const text = await home.barge(["cert", ...server.storage]);
  assert.match(
    text.stdout,
    new RegExp(`^${RegExp.escape(two.mark)}\n(.*\n)* +file +${RegExp.escape(file)}`),
  );
});

Deno.test("serve with a certificate that can't be used exits with 7", async () => {
  await using home = new Home();
  const [one, two] = [await pairFor(), await pairFor()];
  const time = { from: new Date("2020-01-01"), until: new Date("2021-01-01") };
  const old = await pairFor(undefined, time);
  const put = (name: string, text: string) => Deno.writeTextFileSync(`${home.path}/${name}`, text);
  put("one.pem", one.cert);
  put("two.key", two.key);
  put("old.pem", old.cert);
  put("old.key", old.key);
  const serve = (cert: string, key: string) =>
    home.barge([
      "serve",
      "--data",
      "d",
      "--native",
      "127.0.0.1:0",
      "--http",
      "off",
      "--tls-cert",
      cert,
      "--tls-key",
      key,
    ]);
  const cases: [string, string, RegExp][] = [
    ["one.pem", "two.key", /two\.key: it is not the key of the certificate/],
    ["old.pem", "old.key", /old\.pem: the certificate expired on 2021-01-01\n\(renew it/],
    [
      "none.pem",
      "two.key",
      /none\.pem: no such file.*\n\(name other files with --tls-cert and --tls-key\)$/im,
    ],
  ];
  for (const [cert, key, text] of cases) {
    const { code, stderr, stdout } = await serve(cert, key);
    assert.equal(code, 7, stderr);
    assert.match(stderr, text);
    assert.equal(stdout, "");
  }
});

Deno.test("after SIGHUP every worker uses the renewed certificate; an upload under way goes on", async () => {
  await using home = new Home();
  const [one, two, three] = [await pairFor(), await pairFor(), await pairFor()];
  const [cert, key] = [`${home.path}/box.pem`, `${home.path}/box.key`];
  const install = (pair: { cert: string; key: string }) => {
    Deno.writeTextFileSync(key, pair.key);
    Deno.writeTextFileSync(cert, pair.cert);
  };
  install(one);
  const files = ["--tls-cert", cert, "--tls-key", key];
  await using server = await startServer({ args: [...files, "--workers", "2"] });
  assert.equal(markOf(server), one.mark);
  await server.addUser("anna");
  const trust = { knownHosts: undefined, pin: parseFingerprint(one.mark) };
  await using client = await connect({ ...parseRemote(server.address), trust });
  await login(client, { account: "anna", password: "anna-secret" });
  const answer = client.answer((frames) => client.next("put", frames));
  await client.send(
    encodeFrame({ verb: "put", path: "/home/a", size: 13, overwrite: "always", body: 13 }),
    new TextEncoder().encode("hello,"),
  );
  await client.flush();

  // A certificate that can't be used changes nothing, and is reported in the log.
  Deno.writeTextFileSync(key, two.key);
  server.signal("SIGHUP");
  await until(() => server.stderr().includes("the old certificate stays"));
  assert.equal(await shownBy(server.address), one.mark);

  for (const pair of [two, three]) {
    install(pair);
    server.signal("SIGHUP");
    // Both workers answer in turn, by the kernel's choice.
    let row = 0;
    await until(async () => (row = await shownBy(server.address) === pair.mark ? row + 1 : 0) >= 8);
  }
  await client.send(
    new TextEncoder().encode(" world\n"),
    encodeFrame({ sha256: "853ff93762a06ddbf722c4ebe9ddd66d8f63ddaea97f521c3ecc20da7c976020" }),
  );
  await client.flush();
  assert.equal((await answer).size, 13);
  const stored = await server.readFile("/home/a");
  assert.equal(new TextDecoder().decode(stored), "hello, world\n");
});
