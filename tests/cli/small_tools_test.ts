/** `barge find`, `du`, `cat` and `sum`. */
import assert from "node:assert/strict";
import { startServer } from "../_server.ts";
import { lines } from "./_barge.ts";
import { logInto } from "./_logged_in.ts";
import { type Place, Runner } from "./_runner.ts";
import { has } from "./_sftp.ts";
import { answering } from "./_terminal.ts";

/** Sends a tree with files of several sizes and ages to /home/t. */
async function plant(home: Place): Promise<void> {
  const files = [
    ["a.tar", 3000, 40],
    ["b.txt", 20, 0],
    ["in/c.tar", 500, 10],
    ["in/deep/d.txt", 7, 50],
    ["two\nlines", 1, 0],
  ] as const;
  for (const [name, bytes, days] of files) {
    const path = `${home.path}/t/${name}`;
    Deno.mkdirSync(path.slice(0, path.lastIndexOf("/")), { recursive: true });
    Deno.writeFileSync(path, new Uint8Array(bytes).fill(bytes));
    const time = new Date(Date.now() - days * 86_400_000);
    Deno.utimeSync(path, time, time);
  }
  const { code, stderr } = await home.barge(["put", "-r", "t", "/home/"]);
  assert.equal(code, 0, stderr);
}

Deno.test("find, du, cat and sum", async (t) => {
  await using server = await startServer();
  await using runner = new Runner();

  await t.step("find takes files by name, size, age, owner and type", async () => {
    await using all = await logInto(server, "anna");
    const { home } = all;
    const place = runner.at(home);
    await plant(place);
    await server.addUser("bob");
    const find = async (...args: string[]) => {
      const { code, stdout, stderr } = await place.barge(["find", ...args]);
      assert.equal(code, 0, stderr);
      return stdout.split("\n").filter(Boolean);
    };
    assert.deepEqual(await find("/home/t", "--name", "*.tar"), [
      "/home/t/a.tar",
      "/home/t/in/c.tar",
    ]);
    assert.deepEqual(await find("/home/t", "--name", "i*"), ["/home/t/in"]);
    assert.deepEqual(await find("--type", "dir"), ["/home/t", "/home/t/in", "/home/t/in/deep"]);
    assert.deepEqual(await find("--older", "30d", "--min-size", "100"), ["/home/t/a.tar"]);
    assert.deepEqual(await find("/home/t/", "--newer", "1d", "--exclude", "two*"), [
      "/home/t/b.txt",
    ]);
    assert.deepEqual(await find("/home/t/in", "--owner", "anna", "--name", "d*"), [
      "/home/t/in/deep/d.txt",
    ]);
    assert.deepEqual(await find("--owner", "bob"), []);
    assert.deepEqual(await find("/home/t/b.txt", "/home/t/a.tar", "--format", "{size} {name}"), [
      "20 b.txt",
      "3000 a.tar",
    ]);
    assert.deepEqual(await find("--name", "two*"), ["/home/t/two\\nlines"]);
    const zero = await home.barge(["find", "/home/t", "-print0", "--max-size", "7"]);
    assert.equal(zero.stdout, "/home/t/in/deep/d.txt\0/home/t/two\nlines\0");
    const [json] = lines(await home.barge(["find", "--name", "c.tar", "--json"]));
    assert.deepEqual([json.path, json.size, json.owner], ["/home/t/in/c.tar", 500, "anna"]);
    Deno.writeTextFileSync(`${home.path}/!x{1,2}`, "x");
    assert.equal((await place.barge(["put", "!x{1,2}", "/home/"])).code, 0);
    assert.deepEqual(await find("--name", "!x*"), ["/home/!x{1,2}"]);
    assert.deepEqual(await find("--name", "!x{1,2}"), ["/home/!x{1,2}"]);
    assert.deepEqual(await find("--name", ""), []);
    assert.deepEqual(await find("--name", "two?lines"), ["/home/t/two\\nlines"]);
    assert.equal((await place.barge(["find", "--older", "2026-02-30"])).code, 2);
    assert.equal((await place.barge(["find", "/home/nowhere"])).code, 4);
    assert.equal((await place.barge(["find", "--json", "-print0"])).code, 2);
  });

  await t.step("rm removes what find has printed with NULs", async () => {
    await using all = await logInto(server, "bella");
    const { home } = all;
    await plant(runner.at(home));
    const old = await home.barge(["find", "/home/t", "--older", "5d", "-print0"]);
    const { code, stderr } = await home.barge(["rm", "-0", "--files-from", "-"], {
      stdin: old.stdout,
    });
    assert.equal(code, 0, stderr);
    const left = await home.barge(["find", "/home/t", "--type", "file", "--format", "{name}"]);
    assert.equal(left.stdout, "b.txt\ntwo\\nlines\n");
  });

  await t.step("du sums folders down to a depth", async () => {
    await using all = await logInto(server, "carla");
    const { home } = all;
    const place = runner.at(home);
    await plant(place);
    const du = async (...args: string[]) => (await place.barge(["du", ...args])).stdout;
    assert.equal(await du("/home/t"), "3528\t/home/t\n");
    assert.equal(await du("--human"), "3.53 kB\t/home\n");
    if (has("python3")) { // a terminal shows the tab, but no line end of a name
      const { stdout } = await home.barge(["du", "/home/t", "/home/t/two\nlines"], {
        under: answering(),
      });
      assert.match(stdout, /^3528\t\/home\/t\r?\n1\t\/home\/t\/two\\nlines\r?\n$/);
    }
    assert.equal(
      await du("-d", "2", "/home/t/"),
      "7\t/home/t/in/deep\n507\t/home/t/in\n3528\t/home/t\n",
    );
    assert.equal(await du("/home/t/b.txt", "/home/t/in"), "20\t/home/t/b.txt\n507\t/home/t/in\n");
    assert.deepEqual(lines(await home.barge(["du", "--json", "--older", "30d", "/home/t"])), [
      { path: "/home/t", size: 3007, files: 2, folders: 0 },
    ]);
    assert.equal((await home.barge(["du", "/home/nowhere"])).code, 4);
  });

  await t.step("cat prints files one after the other", async () => {
    await using all = await logInto(server, "dora");
    const { home } = all;
    const place = runner.at(home);
    for (const text of ["one", "two"]) {
      const put = await home.barge(["put", "-", `/home/${text}`], { stdin: `${text}\n` });
      assert.equal(put.code, 0);
    }
    const both = await home.barge(["cat", "/home/one", "/home/two"]);
    assert.deepEqual([both.code, both.stdout, both.stderr], [0, "one\ntwo\n", ""]);
    const missing = await place.barge(["cat", "/home/none", "/home/two"]);
    assert.deepEqual([missing.code, missing.stdout], [4, "two\n"]);
    assert.match(missing.stderr, /^barge: cat \/home\/none: /);
    const folder = await place.barge(["cat", "/home"]);
    assert.deepEqual([folder.code, folder.stdout], [2, ""]);
    const hint = "(`barge ls` lists it, `barge get -r` downloads it)";
    assert.equal(folder.stderr, `barge: cat /home: is a folder\n${hint}\n`);
    assert.equal((await place.barge(["cat", "--json", "/home/one"])).code, 2);
  });

  await t.step("sha256sum checks what sum prints", async () => {
    await using all = await logInto(server, "emma");
    const { home } = all;
    await plant(runner.at(home));
    Deno.writeFileSync(`${home.path}/t/back\\slash`, new Uint8Array(9));
    assert.equal((await home.barge(["put", `t/back\\slash`, "/home/t/"])).code, 0);
    // A file that was written on the server's disk has no stored digest.
    Deno.writeTextFileSync(`${server.data}/homes/emma/t/in/by-hand`, "by hand");
    Deno.writeTextFileSync(`${home.path}/t/in/by-hand`, "by hand");
    const check = async (list: string, cwd: string) => {
      const child = new Deno.Command("sha256sum", {
        args: ["-c", "--strict", "--quiet"],
        cwd,
        stdin: "piped",
        stdout: "piped",
        stderr: "piped",
      }).spawn();
      const writer = child.stdin.getWriter();
      await writer.write(new TextEncoder().encode(list));
      await writer.close();
      const { code, stdout, stderr } = await child.output();
      return [code, new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr)];
    };
    const whole = await home.barge(["sum", "-r", "/home/t"]);
    assert.equal(whole.stdout.split("\n").length - 1, 7, whole.stderr);
    assert.deepEqual(await check(whole.stdout, home.path), [0, ""]);
    const contents = await home.barge(["sum", "-r", "/home/t/", "/home/t/b.txt"]);
    assert.deepEqual(await check(contents.stdout, `${home.path}/t`), [0, ""]);
    Deno.writeTextFileSync(`${home.path}/t/b.txt`, "other");
    const [code, text] = await check(whole.stdout, home.path);
    assert.equal(code, 1);
    assert.match(String(text), /t\/b\.txt: FAILED/);
    assert.equal((await home.barge(["sum", "/home/t"])).code, 2);
    const [json] = lines(await home.barge(["sum", "--json", "/home/t/b.txt"]));
    assert.deepEqual([json.path, json.name, json.size], ["/home/t/b.txt", "b.txt", 20]);
  });
});
