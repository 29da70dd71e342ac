/** `barge doctor` on the options of a server: doors, certificates, secrets, descriptors, proxies. */
import assert from "node:assert/strict";
import { makeSelfSigned } from "../../../core/net/self_signed.ts";
import { Home } from "../_barge.ts";
import { Runner } from "../_runner.ts";
import { examine } from "./_doctor.ts";

const dayMs = 86_400_000;

/** Writes a certificate and its key into the home. @returns the options that name them */
async function makeCertificate(home: Home, days: number, names = ["box.example", "127.0.0.1"]) {
  const from = new Date(Date.now() - 365 * dayMs);
  const until = new Date(Date.now() + days * dayMs + dayMs / 2);
  const { cert, key } = await makeSelfSigned(names, { from, until });
  const files = { cert: `${home.path}/box.pem`, key: `${home.path}/box.key` };
  Deno.writeTextFileSync(files.cert, cert);
  Deno.writeTextFileSync(files.key, key, { mode: 0o600 });
  return ["--tls-cert", files.cert, "--tls-key", files.key];
}

Deno.test("doctor finds faults of options", async (t) => {
  await using runner = new Runner();

  await t.step("doctor reports a certificate that ends soon, or has ended", async () => {
    await using home = new Home();
    for (
      const [days, severity, message] of [
        [100, "ok", /ends on .*, in 100 days/],
        [10, "warn", /ends on .*, in 10 days/],
        [1, "bad", /ends on .*, in 1 day\./],
        [-5, "bad", /can't be used: the certificate expired on/],
      ] as const
    ) {
      const place = days === 100 ? home : runner.at(home);
      const options = await makeCertificate(home, days);
      const [finding] = (await examine(place, options)).of("certificate");
      assert.equal(finding.severity, severity, finding.message);
      assert.match(finding.message, message);
      assert.equal(finding.path, `${home.path}/box.pem`);
    }
  });

  await t.step(
    "doctor compares the names of the certificate with --public-url and the doors",
    async () => {
      await using home = new Home();
      const tls = await makeCertificate(home, 100);
      const names = async (...args: string[]) =>
        (await examine(runner.at(home), [...tls, ...args])).of("certificate")[1];
      const right = await names("--public-url", "https://box.example", "--http", "0.0.0.0:443");
      assert.equal(right.severity, "ok");
      const wrong = await names("--public-url", "https://www.example", "--http", "0.0.0.0:443");
      assert.equal(wrong.severity, "warn");
      assert.match(
        wrong.message,
        /is not for the host of --public-url, www\.example, but for box\.exa/,
      );
      const bound = await names("--native", "192.0.2.7:7171");
      assert.deepEqual([bound.severity, /not for 192\.0\.2\.7/.test(bound.message)], [
        "note",
        true,
      ]);
    },
  );

  await t.step("doctor reports a key of another certificate", async () => {
    await using home = new Home();
    const tls = await makeCertificate(home, 100);
    const { key } = await makeSelfSigned(["box.example"]);
    Deno.writeTextFileSync(`${home.path}/box.key`, key);
    const { severity, message, path } = (await examine(runner.at(home), tls)).one("certificate");
    assert.equal(severity, "bad");
    assert.match(message, /not the key of the certificate/);
    assert.equal(path, `${home.path}/box.key`);
  });

  await t.step("doctor reports the end of a proxy's certificate", async () => {
    await using home = new Home();
    const [, cert] = await makeCertificate(home, 2);
    const finding = (await examine(runner.at(home), ["--proxy-cert", cert])).one(
      "proxy-certificate",
    );
    assert.equal(finding.severity, "bad");
    assert.match(finding.message, /^The certificate of the proxy ends on .*, in 2 days/);
    Deno.writeTextFileSync(cert, "hello");
    const junk = (await examine(runner.at(home), ["--proxy-cert", cert])).one("proxy-certificate");
    assert.deepEqual([junk.severity, /can't be read as PEM/.test(junk.message)], ["bad", true]);
  });

  await t.step(
    "doctor reports files of secrets that others can read, or that can't be read",
    async () => {
      await using home = new Home();
      const tls = await makeCertificate(home, 100);
      const key = `${home.path}/box.key`;
      const severityAt = async (mode: number) => {
        Deno.chmodSync(key, mode);
        return (await examine(runner.at(home), tls)).one("secret-files").severity;
      };
      assert.equal(await severityAt(0o600), "ok");
      assert.equal(await severityAt(0o640), "note");
      assert.equal(await severityAt(0o644), "warn"); // the home is closed
      Deno.chmodSync(home.path, 0o755);
      assert.equal(await severityAt(0o644), "bad");
      Deno.removeSync(key);
      const missing = (await examine(runner.at(home), tls)).one("secret-files");
      assert.equal(missing.severity, "bad");
      assert.match(missing.message, /The file of --tls-key can't be read: no such file/i);
    },
  );

  await t.step("doctor reports each file that it can't use, and goes on", async () => {
    await using home = new Home();
    Deno.writeTextFileSync(`${home.path}/junk`, "junk");
    const acme = ["--tls", "--acme", "box.example"];
    const eab = ["--acme-eab-kid", "k", "--acme-eab-key-file", "junk"];
    for (
      const [ca, why] of [["missing", "no such file or directory"], ["junk", "the file holds no"]]
    ) {
      const found = await examine(runner.at(home), [...acme, ...eab, "--acme-ca", ca]);
      const [key, authority] = found.of("named-files");
      assert.deepEqual([authority.severity, authority.path], ["bad", ca]);
      assert.ok(authority.message.startsWith(`The file of --acme-ca can't be used: ${why}`));
      assert.match(
        key.message,
        /^The file of --acme-eab-key-file can't be used: the file holds no/,
      );
      assert.equal(found.one("descriptors").id, "descriptors");
    }
    const keys = { BARGE_BUCKET_ACCESS_KEY: "a", BARGE_BUCKET_SECRET_KEY: "b" };
    const store = ["--store", "postgres://barge@127.0.0.1:1/barge"];
    const shared = [...store, "--bucket", "s3+http://127.0.0.1:1/box"];
    const keyAt = async (args: string[], env: Record<string, string> = {}) =>
      (await examine(runner.at(home), [...shared, ...args], { env: { ...keys, ...env } }))
        .one("named-files");
    const inFile = await keyAt(["--cluster-key", "junk"]);
    assert.match(inFile.message, /^The file of --cluster-key can't be used: it is not a key/);
    assert.equal(inFile.path, "junk");
    const mistyped = await keyAt([], { BARGE_CLUSTER_KEY: "k".repeat(40) });
    assert.deepEqual([mistyped.severity, mistyped.path], ["bad", "BARGE_CLUSTER_KEY"]);
    assert.ok(!JSON.stringify(mistyped).includes("kkk"));
  });

  await t.step("doctor reports doors whose bytes the network can read", async () => {
    await using home = new Home();
    const doors = ["--native", "0.0.0.0:7171", "--http", "0.0.0.0:8080", "--ftp", "0.0.0.0:2121"];
    const others = ["--sftp", "0.0.0.0:2222", "--metrics", "0.0.0.0:9100"];
    const plain = (await examine(runner.at(home), [...doors, ...others, "--plaintext"])).of(
      "plain-doors",
    );
    assert.deepEqual(plain.map(({ severity, message }) => [severity, message.split(" on ")[0]]), [
      ["warn", "The native door"],
      ["bad", "The http door"],
      ["bad", "The ftp door"],
      ["warn", "The metrics door"],
    ]);
    const secure = await examine(runner.at(home), [...doors, ...others]);
    assert.equal(secure.one("plain-doors").severity, "ok");
  });

  await t.step("doctor reports a proxy that hides the addresses of its clients", async () => {
    await using home = new Home();
    const url = ["--public-url", "https://box.example"];
    const hidden = (await examine(runner.at(home), url)).one("proxy-addresses");
    assert.equal(hidden.severity, "warn");
    assert.match(hidden.advice ?? "", /--trusted-proxy/);
    const trusted = await examine(runner.at(home), [...url, "--trusted-proxy", "127.0.0.1"]);
    assert.equal(trusted.one("proxy-addresses").severity, "ok");
    assert.equal((await examine(runner.at(home), [])).of("proxy-addresses").length, 0);
  });

  await t.step(
    "doctor reads the options of a configuration file, and checks who can change it",
    async () => {
      await using home = new Home();
      const config = `${home.path}/barge.toml`;
      const text =
        `data = "${home.path}/none"\ndurability = "relaxed"\n[limits]\nmax-connections = 0\n`;
      Deno.writeTextFileSync(config, text, { mode: 0o644 });
      const findings = await examine(runner.at(home), ["--config", config]);
      assert.deepEqual(findings.faults, ["bad data-directory", "warn durability"]);
      assert.match(findings.one("descriptors").message, /--max-connections sets no limit/);
      assert.equal(findings.one("config-file").severity, "ok");
      Deno.chmodSync(config, 0o664);
      const shared = (await examine(runner.at(home), ["--config", config])).one("config-file");
      assert.deepEqual([shared.severity, /lets its group change it/.test(shared.message)], [
        "note",
        true,
      ]);
    },
  );

  await t.step("doctor refuses options that serve refuses, with exit code 2", async () => {
    await using home = new Home();
    for (const args of [["--tls-cert", "x"], ["--store", "postgres://u@h/d"], ["--hpt", "off"]]) {
      const { code, stdout } = await runner.at(home).barge(["doctor", ...args, "--tls"]);
      assert.deepEqual([code, stdout], [2, ""], args.join(" "));
    }
  });
});

Deno.test("doctor as root reports files that the server's user can't read", {
  ignore: Deno.uid() !== 0,
}, async () => {
  await using home = new Home();
  const tls = await makeCertificate(home, 100);
  const key = `${home.path}/box.key`;
  const uid = 54_321; // the owner of the data directory
  Deno.mkdirSync(`${home.path}/data`);
  Deno.chownSync(`${home.path}/data`, uid, uid);
  const judge = async () =>
    (await examine(home, [...tls, "--data", `${home.path}/data`])).one("secret-files");
  const config = `${home.path}/barge.toml`;
  Deno.writeTextFileSync(config, "", { mode: 0o600 });
  const all = await examine(home, [...tls, "--data", `${home.path}/data`, "--config", config]);
  for (const id of ["secret-files", "certificate", "config-file"]) {
    assert.match(all.one(id).message, /The server's user, 54321, can't read the /);
  }
  const closed = await judge();
  assert.equal(closed.severity, "bad");
  const isFolder = closed.message.includes(`: the mode or the owner of ${home.path} does not`);
  assert(isFolder && /Move the file/.test(closed.advice!), closed.message);
  Deno.chmodSync(home.path, 0o711);
  const foreign = await judge();
  assert.match(foreign.message, /The server's user, 54321, can't read the file of --tls-key/);
  assert.match(foreign.advice!, /^Run chown 54321 /);
  for (
    const [owner, group, mode, severity] of [
      [uid, 0, 0o600, "ok"],
      [0, uid, 0o640, "note"],
      [0, 0, 0o640, "bad"],
      [uid, 0, 0o040, "bad"],
    ] as const
  ) {
    Deno.chownSync(key, owner, group);
    Deno.chmodSync(key, mode);
    assert.equal((await judge()).severity, severity, `${owner}:${group} ${mode.toString(8)}`);
  }
});

Deno.test("doctor compares the limit of descriptors with --max-connections", async () => {
  await using home = new Home();
  const under = ["bash", "-c", 'ulimit -n 600; exec "$0" "$@"'];
  const judge = async (connections: string) =>
    (await examine(home, ["--max-connections", connections], { under })).one("descriptors");
  assert.equal((await judge("100")).severity, "ok");
  assert.equal((await judge("300")).severity, "note");
  const low = await judge("4096");
  assert.equal(low.severity, "warn");
  assert.match(low.message, /may open 600 descriptors; 4096 connections need 4352, and 8448/);
  assert.match(low.advice ?? "", /ulimit -n 8448/);
  assert.equal((await judge("0")).severity, "warn");
});

Deno.test("requests to the bucket pass the proxy of HTTPS_PROXY, unless NO_PROXY names its host", async () => {
  await using home = new Home();
  const proxy = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const targets: string[] = [];
  const serving = (async () => {
    for await (const conn of proxy) {
      const bytes = new Uint8Array(4096);
      const length = await conn.read(bytes) ?? 0;
      targets.push(new TextDecoder().decode(bytes.subarray(0, length)).split("\r\n")[0]);
      conn.close();
    }
  })();
  const options = ["--store", "postgres://barge@127.0.0.1:1/barge"];
  const env = {
    BARGE_CLUSTER_KEY: btoa("k".repeat(32)),
    BARGE_BUCKET_ACCESS_KEY: "a",
    BARGE_BUCKET_SECRET_KEY: "b",
    HTTPS_PROXY: `http://127.0.0.1:${proxy.addr.port}`,
  };
  const host = "s3.barge.invalid";
  const args = [...options, "--bucket", `s3+https://${host}/box`];
  for (const [more, isPassed] of [[{}, true], [{ NO_PROXY: host }, false]] as const) {
    targets.length = 0;
    const { severity } = (await examine(home, args, { env: { ...env, ...more } })).one("bucket");
    assert.equal(severity, "bad");
    const passed = targets.filter((target) => target.startsWith(`CONNECT ${host}:443 `));
    assert.equal(passed.length > 0, isPassed, targets.join());
  }
  proxy.close();
  await serving;
});
