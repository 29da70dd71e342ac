/** Runs of a job of cron: `--lock`, `--log`, `--notify`, `--quiet-unless-changed`. */
import assert from "node:assert/strict";
import { startServer } from "../_server.ts";
import { lines } from "./_barge.ts";
import { logInto, secret } from "./_logged_in.ts";
import { Runner } from "./_runner.ts";

Deno.test("jobs of cron", async (t) => {
  await using server = await startServer();
  await using runner = new Runner();

  await t.step("a second run with the same lock ends with 14 and names the holder", async () => {
    await using all = await logInto(server, "anna");
    const { home } = all;
    // The first run waits for its standard input.
    const first = home.spawn(["put", "-", "/home/x", "--lock", "nightly"], { stdin: "" });
    const path = `${home.path}/.local/state/barge/locks/nightly`;
    while (!await Deno.readTextFile(path).then((text) => text.endsWith("\n"), () => false)) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    Deno.writeTextFileSync(`${home.path}/f`, "f");
    const second = await home.barge(["put", "f", "/home/", "--lock", "nightly"]);
    assert.equal(second.code, 14);
    assert.match(
      second.stderr,
      new RegExp(`the lock nightly is held by process ${first.pid} \\(barge put\\)`),
    );
    assert.equal((await home.barge(["put", "f", "/home/", "--lock", "other"])).code, 0);
    assert.equal((await home.barge(["ls", "--lock", `${home.path}/l`])).code, 0);
    first.kill("SIGKILL");
    await first.output();
    await first.stdin.close().catch(() => {/* its reader is gone */});
    assert.equal((await home.barge(["put", "f", "/home/", "--lock", "nightly"])).code, 0);
    assert.equal((await home.barge(["ls", "--lock", "a/b"])).code, 2);
  });

  await t.step(
    "the log gets messages, start and end; the program for failures gets an object",
    async () => {
      await using all = await logInto(server, "bella");
      const { home } = all;
      Deno.writeTextFileSync(`${home.path}/f`, "f");
      const job = ["--log", "log", "--notify", "sh -c 'cat >> notices; echo told >&2'"];
      assert.equal((await home.barge(["put", "f", "/home/", "-q", ...job])).code, 0);
      const failed = await home.barge(["put", "f", "missing", "/home/", ...job]);
      assert.equal(failed.code, 4);
      assert.equal((await home.barge(["ls", "/home/none", ...job])).code, 4);
      assert.equal((await home.barge(["rm", "/home/f", "--log", "rm-log"])).code, 0);
      assert.match(
        await Deno.readTextFile(`${home.path}/rm-log`),
        /\] 1 file removed\n.*rm: ended with/,
      );
      const log = await Deno.readTextFile(`${home.path}/log`);
      const texts = log.split("\n").filter(Boolean).map((line) => {
        assert.match(line, /^\d{4}-\d\d-\d\dT[\d:.]{12}Z \[\d+\] /);
        return line.replace(/^\S+ \S+ /, "").replace(/[\d.]+ s$/, "T");
      });
      assert.deepEqual(texts.slice(0, 3), [
        "put: started",
        "1 file, 1 B in T",
        "put: ended with exit code 0 after T",
      ]);
      assert(texts.includes("put: ended with exit code 4 after T"), log);
      assert(texts.some((text) => text.startsWith("barge: read missing: ")), log);
      assert(texts.some((text) => text.startsWith("barge: ls /home/none: ")), log);
      const notices = await Deno.readTextFile(`${home.path}/notices`);
      const [put, ls] = lines({ code: 0, stdout: notices, stderr: "" });
      assert.deepEqual([put.verb, put.code, ls.verb, ls.code], ["put", 4, "ls", 4]);
      assert(put.messages.some((text: string) => text.includes("missing")));
      assert.match(ls.messages.at(-1), /^barge: ls \/home\/none: /);
    },
  );

  await t.step(
    "a program for failures that fails changes no exit code; one that is missing is refused",
    async () => {
      await using all = await logInto(server, "carla");
      const home = runner.at(all.home);
      const failing = await home.barge([
        "ls",
        "/home/none",
        "--notify",
        "sh -c 'echo no >&2; exit 3'",
      ]);
      assert.equal(failing.code, 4);
      assert.match(failing.stderr, /--notify: .*sh ended with exit code 3: no/);
      const missing = await home.barge(["ls", "--notify", "no-such-program"]);
      assert.deepEqual([missing.code, missing.stdout], [2, ""]);
      const unwritable = await home.barge(["ls", "--log", "/nowhere/log"]);
      assert.equal(unwritable.code, 4);
      assert.match(unwritable.stderr, /^barge: open log \/nowhere\/log: /);
    },
  );

  await t.step("a run that cannot connect is logged and reported", async () => {
    await using all = await logInto(server, "dora");
    const { home } = all;
    const env = { ...secret, BARGE_SERVER: "barge://dora@127.0.0.1:1" };
    const args = ["ls", "--log", "log", "--notify", "sh -c 'cat > notice'"];
    assert.equal((await home.barge(args, { env })).code, 5);
    assert.match(await Deno.readTextFile(`${home.path}/log`), /ls: ended with exit code 5/);
    const [notice] = lines({
      code: 0,
      stdout: await Deno.readTextFile(`${home.path}/notice`),
      stderr: "",
    });
    assert.equal(notice.code, 5);
  });

  await t.step("--quiet-unless-changed prints nothing if nothing has changed", async () => {
    await using all = await logInto(server, "emma");
    const home = runner.at(all.home);
    Deno.mkdirSync(`${home.path}/t`);
    Deno.writeTextFileSync(`${home.path}/t/a`, "a");
    Deno.writeTextFileSync(`${home.path}/t/b`, "b");
    Deno.symlinkSync("a", `${home.path}/t/link`);
    const put = (...more: string[]) =>
      home.barge(["put", "-r", "-u", "t", "/home/", "--quiet-unless-changed", ...more]);
    const first = await put();
    assert.match(first.stderr, /link.*\n.*2 files, 2 B/s);
    for (const more of [[], ["--json"]]) {
      const { code, stdout, stderr } = await put(...more);
      assert.deepEqual([code, stdout, stderr], [0, "", ""]);
    }
    Deno.writeTextFileSync(`${home.path}/t/b`, "changed");
    const changed = await put("--json");
    assert.deepEqual(lines(changed).map(({ path }) => path), ["/home/t/b"]);
    assert.match(changed.stderr, /1 file, 7 B .*1 unchanged/);
    Deno.removeSync(`${home.path}/t/b`);
    assert.match((await put("--delete")).stderr, /1 removed/);
  });

  await t.step("a full disk ends the log, and not the run", async () => {
    await using all = await logInto(server, "fiona");
    const home = runner.at(all.home);
    const { code, stdout, stderr } = await home.barge(["ls", "/", "--log", "/dev/full"]);
    assert.deepEqual([code, stdout], [0, "home/\npublic/\n"]);
    assert.match(stderr, /^barge: write log \/dev\/full: no space left on device$/m);
  });

  await t.step("the program for failures gets the last 20 messages", async () => {
    await using all = await logInto(server, "gina");
    const home = runner.at(all.home);
    const names = Array.from({ length: 25 }, (_, i) => `/home/none${i}`);
    const notify = ["--notify", "sh -c 'cat > notice'"];
    assert.equal((await home.barge(["rm", ...names, ...notify])).code, 4);
    const cut = { env: { BARGE_SERVER: "barge://gina@127.0.0.1:1" } };
    const many = JSON.parse(await Deno.readTextFile(`${home.path}/notice`));
    assert.deepEqual([many.messages.length, many.messages[18].includes("none24")], [20, true]);
    assert.equal(many.messages[19], "0 files removed");
    const retries = ["--retries", "12", "--retry-delay", "0"];
    assert.equal((await home.barge(["ls", ...retries, ...notify], cut)).code, 5);
    const last = JSON.parse(await Deno.readTextFile(`${home.path}/notice`));
    assert.equal(last.messages.length, 20);
    assert.match(last.messages[19], /^barge: connect to 127\.0\.0\.1:1: /);
  });
});
