import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { until } from "../_observe.ts";
import { onTwoNodes, startServer } from "../_server.ts";
import { Home, lines } from "./_barge.ts";
import { logInto, secret } from "./_logged_in.ts";
import { Runner } from "./_runner.ts";

Deno.test("serve prints its ready line, makes an admin, and ends with 0", async () => {
  await using server = await startServer({ empty: true });
  assert.deepEqual(JSON.parse(server.stdout()), {
    event: "ready",
    native: server.address,
    http: null,
    ftp: null,
    ftps: null,
    sftp: null,
    fingerprint: null,
  });
  assert.match(server.stderr(), /"account":"admin","file":"\S+\/admin-password"/);
  assert.equal(await server.kill("SIGTERM"), 0);
});

Deno.test("verbs of people with accounts", async (t) => {
  await using server = await startServer();
  await using runner = new Runner();

  await t.step("a saved login is readable by its owner only, and logout ends it", async () => {
    await using server = await startServer();
    await using home = new Home();
    await server.addUser("anna");
    const remote = `barge://anna@${server.address}`;
    const login = await home.barge(["login", remote], { env: secret });
    assert.equal(login.code, 0, login.stderr);
    const file = `${home.path}/.config/barge/logins.json`;
    assert.equal(Deno.statSync(file).mode! & 0o777, 0o600);
    assert.equal(Deno.statSync(`${home.path}/.config/barge`).mode! & 0o777, 0o700);
    assert.doesNotMatch(Deno.readTextFileSync(file), /anna-secret/);
    assert.equal((await home.barge(["ls"])).code, 0);
    const place = runner.at(home);
    const tokens = () => place.barge(["user", "tokens", "anna", "--json", ...server.storage]);
    assert.equal(lines(await tokens()).length, 1);

    // A second login replaces the token of the first one.
    assert.equal((await home.barge(["login", remote], { env: secret })).code, 0);
    assert.equal(lines(await tokens()).length, 1);

    Deno.chmodSync(file, 0o644);
    const open = await place.barge(["ls"]);
    assert.equal(open.code, 11);
    assert.match(open.stderr, /other users can read or write the file\n\(chmod 600/);
    Deno.chmodSync(file, 0o600);

    const { logins } = JSON.parse(Deno.readTextFileSync(file));
    const other = { ...logins[0], account: "bob", id: "0", token: "barge_0_0" };
    const third = { ...other, account: "carl", id: "1" };
    Deno.writeTextFileSync(file, JSON.stringify({ logins: [other, third, ...logins] }));
    const out = await home.barge(["logout", "--json"]);
    const [bob, carl] = ["bob", "carl"].map((name) => `barge://${name}@${server.address}`);
    // Of several logins that are left, the next command must not take one by itself.
    const none = `no login is in use: name one with --server, or log in (${bob}, ${carl})`;
    assert.equal(out.stderr.trimEnd(), none);
    for (const verb of ["ls", "logout"]) {
      const { code, stderr } = await home.barge([verb]);
      assert.equal(code, 2, stderr);
      assert.match(stderr, /no server is named/);
    }
    const chosen = await place.barge(["logout", carl]);
    assert.equal(chosen.code, 0, chosen.stderr);
    assert.match(chosen.stderr, new RegExp(`^now in use: ${bob}$`, "m"));
    const forgotten = await place.barge(["logout"]);
    assert.equal(forgotten.code, 0, forgotten.stderr);
    assert.doesNotMatch(forgotten.stderr, /now in use/);
    assert.deepEqual(lines(out), [{ server: remote, account: "anna", revoked: true }]);
    assert.equal(lines(await tokens()).length, 0);
    assert.equal((await place.barge(["ls"])).code, 2);
    assert.equal((await place.barge(["logout"])).code, 4);
  });

  await t.step(
    "a wrong password, an unknown and a disabled account get the same answer",
    async () => {
      await using all = await logInto(server, "bella");
      const { home } = all;
      await server.addUser("gone");
      await server.disable("gone");
      const answers = await Promise.all(
        [["bella", "wrong"], ["nobody", "x"], ["gone", "gone-secret"]].map(
          async ([name, password]) => {
            const env = { BARGE_PASSWORD: password };
            const remote = `barge://${name}@${server.address}`;
            const { code, stderr } = await home.barge(["ls", "--server", remote], { env });
            assert.equal(code, 11);
            return stderr.replace(name, "NAME");
          },
        ),
      );
      assert.equal(new Set(answers).size, 1, answers.join(""));
      const place = runner.at(home);
      const none = await place.barge(["ls", "--server", `barge://other@${server.address}`]);
      assert.equal(none.code, 11);
      assert.match(none.stderr, /a password is needed\n\(use `barge login` once/);
      const login = await place.barge(["login", `barge://other@${server.address}`]);
      assert.equal(login.code, 11);
      assert.match(login.stderr, /a password is needed\n\(use --password-stdin, /);
    },
  );

  await t.step("a file is sent, listed and fetched unchanged", async () => {
    await using all = await logInto(server, "carla");
    const { home } = all;
    const place = runner.at(home);
    const text = "hello\n";
    const sha256 = createHash("sha256").update(text).digest("hex");
    await Deno.writeTextFile(`${home.path}/a file`, text);
    const put = await home.barge(["put", "a file", "/home/", "--json"]);
    assert.deepEqual([put.code, put.stderr], [0, ""]);
    const sent = { path: "/home/a file", local: "a file", size: 6, sha256, status: "sent" };
    assert.deepEqual(lines(put), [{ ...sent, offset: 0, error: null }]);

    const [entry] = lines(await home.barge(["ls", "--json"]));
    const { modified, ...facts } = entry;
    assert.equal(modified, Deno.statSync(`${home.path}/a file`).mtime!.toISOString());
    assert.deepEqual(facts, {
      path: "/home/a file",
      name: "a file",
      type: "file",
      size: 6,
      owner: "carla",
      sha256,
    });
    assert.equal((await place.barge(["ls"])).stdout, "a file\n");
    const piped = await home.barge(["get", "/home/a file", "-"]);
    assert.deepEqual([piped.code, piped.stdout, piped.stderr], [0, text, ""]);
    assert.equal((await place.barge(["get", "/home/a file", "copy", "-q"])).code, 0);
    assert.equal(Deno.readTextFileSync(`${home.path}/copy`), text);
    const [quota] = lines(await place.barge(["quota", "--json"]));
    assert.deepEqual(quota, {
      account: "carla",
      used: 6,
      reserved: 0,
      limit: null,
      left: null,
      entries: 1,
      entryLimit: null,
    });
  });

  await t.step("standard input is sent", async () => {
    await using all = await logInto(server, "dora");
    const { home } = all;
    const put = await home.barge(["put", "-", "/home/x", "--json"], { stdin: "piped" });
    assert.equal(put.code, 0, put.stderr);
    assert.deepEqual(lines(put).map(({ local, size }) => [local, size]), [["-", 5]]);
  });

  await t.step(
    "a tree is sent and fetched, and --update transfers only files that differ",
    async () => {
      await using all = await logInto(server, "emma");
      const { home } = all;
      const place = runner.at(home);
      await Deno.mkdir(`${home.path}/t/empty`, { recursive: true });
      await Deno.writeTextFile(`${home.path}/t/a`, "a");
      await Deno.writeTextFile(`${home.path}/t/n\nl`, "");
      const put = await home.barge(["put", "-r", "t", "/home/"]);
      assert.deepEqual([put.code, put.stdout], [0, ""]);
      assert.match(put.stderr, /^2 files, 1 B in [\d.]+ s\n$/);
      assert.equal((await place.barge(["ls", "-r"])).stdout, "t/\nt/a\nt/empty/\nt/n\\nl\n");

      await Deno.writeTextFile(`${home.path}/t/b`, "bb");
      const rehearsed = await place.barge(["put", "-r", "--update", "-n", "t", "/home/"]);
      assert.equal(rehearsed.stdout, "put t/b -> /home/t/b\n");
      assert.match(rehearsed.stderr, /nothing was done/);
      const updated = await place.barge(["put", "-r", "--update", "--json", "t", "/home/"]);
      assert.deepEqual(lines(updated).map(({ local, status }) => [local, status]).sort(), [
        ["t/a", "skipped"],
        ["t/b", "sent"],
        ["t/n\nl", "skipped"],
      ]);

      const get = await home.barge(["get", "-rq", "/home/t/", "down"]);
      assert.deepEqual([get.code, get.stdout, get.stderr], [0, "", ""]);
      assert.deepEqual([...Deno.readDirSync(`${home.path}/down`)].map(({ name }) => name).sort(), [
        ...["a", "b", "empty", "n\nl"],
      ]);
    },
  );

  await t.step("folders are made, moved, copied and removed", async () => {
    await using all = await logInto(server, "fiona");
    const { home } = all;
    const place = runner.at(home);
    const run = async (...line: string[]) => {
      const { code, stdout, stderr } = await place.barge(line);
      assert.equal(code, 0, `${line.join(" ")}: ${stderr}`);
      return stdout;
    };
    await Deno.writeTextFile(`${home.path}/f`, "f");
    await run("mkdir", "-p", "/home/a/b", "/home/c");
    await run("put", "f", "/home/a/b/");
    await run("cp", "/home/a/b/f", "/home/g");
    await run("mv", "/home/g", "/home/c");
    await run("cp", "-r", "/home/a", "/home/c");
    assert.equal(await run("ls", "-r", "/home/c"), "a/\na/b/\na/b/f\ng\n");
    await run("rm", "-r", "/home/a", "/home/c/g");
    assert.equal((await home.barge(["ls", "-r"])).stdout, "c/\nc/a/\nc/a/b/\nc/a/b/f\n");

    const codes = await Promise.all([
      ["mkdir", "/home/c"],
      ["mkdir", "/home/x/y"],
      ["rm", "/home/c"],
      ["rm", "/home/x"],
      ["rm", "/home/x", "/home/c"],
      ["cp", "/home/c", "/home/d"],
      ["cp", "-r", "/home/c", "/home/c/d"],
      ["cp", "-r", "/", "/home/c"],
      ["cp", "-r", "/home", "/home/c"],
      ["mv", "/home/c/a", "/home/x/"],
      ["cp", "/home/c/a/b/f", "/home/c/f", "/home/c"],
      ["mv", "/home/c/a/b/f", "/home/c/f", "/home/c"],
      ["get", "/home/x"],
      ["stat", "/home/x"],
      ["ls", "/etc"],
    ].map(async (line) => (await place.barge(line)).code));
    assert.match((await place.barge(["mkdir", "/home/x/y"])).stderr, /\n\(use -p /);
    assert.deepEqual(codes.slice(0, 14), [14, 3, 14, 4, 1, 2, 2, 2, 2, 3, 2, 2, 4, 4]);
    assert.notEqual(codes[14], 0);
    // The message names the verb that was called, not the request that failed.
    for (const verb of ["ls", "rm", "get", "mv", "cp"]) {
      const more = verb === "mv" || verb === "cp" ? ["/home/y"] : [];
      const { stderr } = await place.barge([verb, "/home/*", ...more]);
      assert.match(
        stderr,
        new RegExp(`^barge: ${verb} /home/\\*: .*\\n\\(\\* and \\? have no special meaning`),
        verb,
      );
    }
  });

  await t.step("a slash at the end of a folder's name makes no difference", async () => {
    await using all = await logInto(server, "gina");
    const place = runner.at(all.home);
    const done = async (...args: string[]) => {
      const { code, stdout, stderr } = await place.barge(args);
      assert.equal(code, 0, `${args.join(" ")}: ${stderr}`);
      return stdout;
    };
    await done("mkdir", "/home/a/", "/home/a/in/", "/home/b/");
    assert.equal(await done("ls", "/home/a/"), "in/\n");
    assert.equal(await done("ls", "/home/"), "a/\nb/\n");
    assert.match(await done("stat", "/home/a//"), /^\/home\/a\n/);
    await done("mv", "/home/a/", "/home/b/");
    await done("cp", "-r", "/home/b/a/", "/home/c");
    assert.equal(await done("ls", "-r", "/home"), "b/\nb/a/\nb/a/in/\nc/\nc/in/\n");
    await done("rm", "-r", "/home/b/");
    assert.equal(await done("ls", "/"), "home/\npublic/\n");
  });

  await t.step("failures have their exit codes, with --json as well", async () => {
    await using all = await logInto(server, "hanna", "10");
    const { home } = all;
    const place = runner.at(home);
    await Deno.writeTextFile(`${home.path}/big`, "x".repeat(100));
    const over = await home.barge(["put", "big", "/home/", "--json"]);
    assert.equal(over.code, 12);
    const [{ status, error }] = lines(over);
    assert.deepEqual([status, error.kind], ["failed", "over-quota"]);
    assert.match(over.stderr, /^barge: put \/home\/big: .*\n\(.*`barge grow SIZE`/);
    assert.equal((await place.barge(["put", "nothing", "/home/"])).code, 4);
    assert.equal((await place.barge(["put", "big", "/home/no/such"])).code, 3);
    assert.equal((await place.barge(["put", "big", "nothing", "/home/"])).code, 1);
    assert.equal(
      (await place.barge(["register", "eve", "--generate", "--server", server.address])).code,
      6,
    );
    const env = { ...secret, BARGE_SERVER: "barge://hanna@127.0.0.1:1" };
    const down = await home.barge(["put", "big", "/home/"], { env });
    assert.equal(down.code, 5);
    assert.match(down.stderr, /^barge: connect to /);
  });

  await t.step({
    name: "a reader that goes away ends the program quietly",
    ignore: onTwoNodes, // it prepares a folder on the disk of one machine
    async fn() {
      await using all = await logInto(server, "irma");
      const { home } = all;
      const folder = `${server.data}/homes/irma/t`;
      await Deno.mkdir(folder, { recursive: true });
      for (let i = 0; i < 1000; i++) Deno.writeTextFileSync(`${folder}/${"n".repeat(240)}${i}`, "");
      await Deno.writeFile(`${home.path}/big`, new Uint8Array(4_000_000));
      assert.equal((await home.barge(["put", "big", "/home/"])).code, 0);
      for (const line of [["ls", "-r"], ["get", "/home/big", "-"]]) {
        const child = home.spawn(line);
        const reader = child.stdout.getReader();
        await reader.read();
        await reader.cancel();
        const stderr = await new Response(child.stderr).text();
        assert.deepEqual([(await child.status).code, stderr], [130, ""], line.join(" "));
      }
    },
  });

  await t.step("Ctrl-C ends a transfer with 130, and the same command resumes it", async () => {
    await using all = await logInto(server, "julia");
    const { home } = all;
    // A hole, sent slowly enough to be caught in the middle. Nodes record their bytes late.
    const size = (onTwoNodes ? 400 : 8) * 2 ** 20;
    const slowly = onTwoNodes ? [] : ["--limit-rate", "2MB"];
    const big = Deno.openSync(`${home.path}/big`, { create: true, write: true });
    big.truncateSync(size);
    big.close();
    const child = home.spawn(["put", "big", "/home/", ...slowly]);
    await until(async () => await server.stagedBytes() > 0);
    child.kill("SIGINT");
    const { code, stderr } = await child.output();
    assert.equal(code, 130);
    const text = new TextDecoder().decode(stderr);
    assert.equal(text, "barge: put: interrupted\n(run the same command again to resume)\n");
    const again = await home.barge(["put", "big", "/home/", "--json"]);
    assert.equal(again.code, 0, again.stderr);
    const [{ status, offset }] = lines(again);
    assert.equal(status, "resumed");
    assert(offset > 0 && offset < size, String(offset));
  });
});

Deno.test("register and grow work if the server allows them", async () => {
  await using server = await startServer({
    args: ["--allow-register", "--quota", "1kB", "--max-quota", "5kB"],
  });
  await using home = new Home();
  await using runner = new Runner();
  const place = runner.at(home);
  const env = { ...secret, BARGE_SERVER: `barge://anna@${server.address}` };
  const made = await home.barge(["register", "anna", "--json"], { env });
  assert.deepEqual(lines(made), [{ account: "anna", limit: 1000 }]);
  assert.equal((await place.barge(["register", "anna"], { env })).code, 14);

  // The server that a variable names, or the last login, is not contacted: it would be exit code 5.
  const elsewhere = { env: { ...secret, BARGE_SERVER: "barge://anna@127.0.0.1:1" } };
  const registerAs = (name: string) => place.barge(["register", name], elsewhere);
  assert.equal((await registerAs("carol")).code, 5);
  for (const [name, scheme] of [["carol", "barge://"], ["dave", ""]]) {
    const { code, stderr } = await registerAs(`${scheme}${name}@${server.address}`);
    assert.equal(code, 0, stderr);
    const next = `try: barge login barge://${name}@127`;
    assert.match(stderr, new RegExp(`^made the account ${name}, .*\n${next}`));
  }
  assert.match((await registerAs("zoe@unix:/none")).stderr, /unix:\/none: /);
  for (const name of ["not/a/name", `barge://${server.address}`, "barge://a b@host", "a@b@c"]) {
    const { code, stderr } = await registerAs(name);
    assert.equal(code, 2, stderr);
  }
  const withToken = { env: { ...env, BARGE_PASSWORD: await server.issueToken("anna") } };
  const grown = await home.barge(["grow", "4kB", "--json"], withToken);
  assert.deepEqual(lines(grown), [{
    account: "anna",
    used: 0,
    reserved: 0,
    limit: 4000,
    left: 4000,
    entries: 0,
    entryLimit: 100_000,
  }]);
  const beyond = await place.barge(["grow", "6kB"], withToken);
  assert.equal(beyond.code, 6);
  assert.match(
    beyond.stderr,
    /^barge: grow: an account can raise its own quota to at most 5 kB\n\(ask /,
  );
  const short = { ...env, BARGE_PASSWORD: "1234567", BARGE_NEW_PASSWORD: "1234567" };
  for (const args of [["register", "bob"], ["passwd"]]) {
    const refused = await place.barge(args, { env: { ...short, ...args[1] ? {} : secret } });
    assert.equal(refused.code, 2);
    assert.match(refused.stderr, /the password has 7 characters, and needs 8 at least/);
  }
  const changed = await home.barge(["passwd"], {
    env: { ...env, BARGE_NEW_PASSWORD: "another one" },
  });
  assert.equal(changed.code, 0, changed.stderr);
  assert.equal((await place.barge(["quota"], { env })).code, 11);
  assert.equal(
    (await home.barge(["quota"], { env: { ...env, BARGE_PASSWORD: "another one" } })).code,
    0,
  );
  const [{ ms, version }] = lines(await place.barge(["ping", "--json"], { env }));
  assert(ms > 0 && version === 1);
});

Deno.test(
  "accounts and files of a data directory that a server uses",
  { ignore: onTwoNodes },
  async (t) => {
    await using server = await startServer();

    await t.step("differences between the ledger and the disk are found and repaired", async () => {
      await using all = await logInto(server, "anna");
      const { home } = all;
      const verify = (...options: string[]) =>
        home.barge(["quota", "verify", "--json", "--data", server.data, ...options]);
      assert.equal((await verify()).code, 0);
      await Deno.writeTextFile(`${server.data}/public/by-hand`, "x");
      const found = await verify();
      assert.equal(found.code, 13);
      assert.deepEqual(lines(found).map(({ path, repaired }) => [path, repaired]), [
        ["public/by-hand", false],
      ]);
      assert.equal((await verify("--repair")).code, 0);
      assert.deepEqual((await verify()).stdout, "");
    });

    await t.step("a removed account's files are kept, unless they are purged", async () => {
      await using all = await logInto(server, "bella");
      const { home } = all;
      await Deno.writeTextFile(`${home.path}/f`, "f");
      await home.barge(["put", "f", "/home/"]);
      const remove = async (...options: string[]) => {
        const line = ["user", "remove", "bella", "--json", "--data", server.data, ...options];
        return lines(await home.barge(line))[0];
      };
      const { kept, files, bytes } = await remove();
      assert.deepEqual([files, bytes], [1, 1]);
      assert.equal(Deno.readTextFileSync(`${kept}/f`), "f");
      const ended = await home.barge(["ls"]);
      assert.equal(ended.code, 11);
      assert.match(ended.stderr, /use `barge login` again/);

      await server.addUser("bella");
      const env = {
        BARGE_SERVER: `barge://bella@${server.address}`,
        BARGE_PASSWORD: await server.issueToken("bella"),
      };
      await home.barge(["put", "f", "/home/"], { env });
      assert.equal((await remove("--purge")).kept, null);
    });
  },
);
