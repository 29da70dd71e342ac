/** The order and the form of what `barge ls` prints. */
import assert from "node:assert/strict";
import { lines } from "./_barge.ts";
import { loggedIn } from "./_logged_in.ts";

Deno.test("ls sorts by size, time or name, and prints lines by a format", async () => {
  await using all = await loggedIn();
  const { home } = all;
  const files = [["t/b", 30, 3], ["t/a", 10, 1], ["t/in/c", 20, 2], ["t/new\nline", 5, 0]] as const;
  for (const [name, bytes, days] of files) {
    const path = `${home.path}/${name}`;
    Deno.mkdirSync(path.slice(0, path.lastIndexOf("/")), { recursive: true });
    Deno.writeFileSync(path, new Uint8Array(bytes));
    const time = new Date(Date.now() - days * 86_400_000);
    Deno.utimeSync(path, time, time);
  }
  Deno.utimeSync(`${home.path}/t/in`, 0, 0);
  assert.equal((await home.barge(["put", "-r", "t/", "/home/t"])).code, 0);
  const ls = async (...args: string[]) => {
    const { code, stdout, stderr } = await home.barge(["ls", ...args]);
    assert.equal(code, 0, stderr);
    return stdout.split("\n").filter(Boolean);
  };
  const names = ["-r", "/home/t"];
  assert.deepEqual(await ls("--sort", "size", "--max-size", "1k", ...names), [
    "b",
    "in/c",
    "a",
    "new\\nline",
    "in/",
  ]);
  assert.deepEqual(await ls("--sort", "time", ...names), ["new\\nline", "a", "in/c", "b", "in/"]);
  assert.deepEqual(await ls("--sort", "name", "--reverse", "/home/t"), [
    "new\\nline",
    "in/",
    "b",
    "a",
  ]);
  assert.deepEqual(
    await ls("--sort", "size", "--reverse", "--format", "{size}\\t{path}\\\\{owner}", "/home/t"),
    [
      "0\t/home/t/in\\-",
      "5\t/home/t/new\\nline\\anna",
      "10\t/home/t/a\\anna",
      "30\t/home/t/b\\anna",
    ],
  );
  const sorted = lines(await home.barge(["ls", "-r", "--json", "--sort", "size", "/home/t"]));
  assert.deepEqual(sorted.map(({ path }) => path), [
    "/home/t/b",
    "/home/t/in/c",
    "/home/t/a",
    "/home/t/new\nline",
    "/home/t/in",
  ]);
  const env = { TZ: "Asia/Shanghai" };
  const long = await home.barge(["ls", "-l", "/home/t/a"], { env });
  const modified = Deno.statSync(`${home.path}/t/a`).mtime!.toISOString().slice(0, 16);
  assert.equal(
    long.stdout,
    `${"10".padStart(13)}  ${modified}Z  ${"anna".padEnd(12)}  /home/t/a\n`,
  );
  const unknown = await home.barge(["ls", "--format", "{siez}"]);
  assert.equal(unknown.code, 2);
  assert.match(unknown.stderr, /there is no field \{siez\}\n\(did you mean \{size\}\?\)/);
  const targets = [["ls", "bob@127.0.0.1:/home"], ["put", "-r", home.path, "box:/home/"]];
  for (const args of targets) {
    const { code, stderr } = await home.barge(args);
    assert.equal(code, 2, stderr);
    const expected =
      /begins with \/home or \/public\n\(name the server with --server, and only its path here\)/;
    assert.match(stderr, expected);
  }
});
