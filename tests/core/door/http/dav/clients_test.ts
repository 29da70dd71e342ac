/** Tests WebDAV with cadaver and rclone. */
import assert from "node:assert/strict";
import { startServer } from "../../../../_server.ts";
import { installed } from "./_tools.ts";

interface Ran {
  readonly success: boolean;
  readonly said: string;
}

async function run(
  [command, ...args]: readonly string[],
  options: { readonly env: Record<string, string>; readonly cwd: string; readonly input?: string },
): Promise<Ran> {
  const { env, cwd, input = "" } = options;
  const child = new Deno.Command(command, {
    ...{ args, env, cwd },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(input));
  await writer.close();
  const { success, stdout, stderr } = await child.output();
  return { success, said: new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr) };
}

Deno.test("cadaver and rclone can use all operations", async (t) => {
  await using server = await startServer({ args: ["--http", "127.0.0.1:0", "--workers", "2"] });
  const bytes = crypto.getRandomValues(new Uint8Array(60_000));
  for (const work of [cadaver, rclone]) {
    const possible = await installed(work.name);
    await t.step({
      name: possible ? work.name : `${work.name} (skipped: not installed)`,
      ignore: !possible,
      async fn() {
        await server.addUser(work.name, { quota: "10000000" });
        const home = await Deno.makeTempDir({ prefix: "barge-dav-" });
        try {
          await Deno.writeFile(`${home}/big`, bytes);
          await Deno.writeTextFile(`${home}/a b ü&%.txt`, "hello");
          await work(server.facts.http!, home, bytes);
        } finally {
          await Deno.remove(home, { recursive: true });
        }
      },
    });
  }
  const possible = await installed("cadaver");
  await t.step({
    name: "cadaver needs a token for an account with a second factor",
    ignore: !possible,
    async fn() {
      await server.addUser("factor");
      const token = await server.issueToken("factor");
      await server.enableTotp("factor");
      const home = await Deno.makeTempDir({ prefix: "barge-dav-" });
      const visit = async (secret: string) => {
        const login = `machine 127.0.0.1 login factor password ${secret}\n`;
        await Deno.writeTextFile(`${home}/.netrc`, login, { mode: 0o600 });
        const options = {
          env: { HOME: home, TERM: "dumb" },
          cwd: home,
          input: "mkcol d\nls\nquit\n",
        };
        // Without a terminal, it can't ask for another password.
        const url = `http://${server.facts.http}/dav/home/`;
        return (await run(["setsid", "--wait", "cadaver", url], options)).said;
      };
      try {
        assert.match(await visit("factor-secret"), /rejected Basic challenge/);
        assert.match(await visit(token), /Coll: +d /);
      } finally {
        await Deno.remove(home, { recursive: true });
      }
    },
  });
});

async function cadaver(http: string, home: string, bytes: Uint8Array): Promise<void> {
  await Deno.writeTextFile(
    `${home}/.netrc`,
    "machine 127.0.0.1 login cadaver password cadaver-secret\n",
    { mode: 0o600 },
  );
  const input = [
    ...["mkcol proj", "cd proj", "put big", 'put "a b ü&%.txt"', "ls", "lock big", "discover big"],
    ...["put big", "propset big colour blue", "propget big", "unlock big", "mkcol sub"],
    ...[
      "copy big sub/copy",
      "move sub moved",
      "ls moved",
      "get moved/copy out",
      "propget moved/copy",
    ],
    ...['get "a b ü&%.txt" text', "delete big", "rmcol moved", "ls", "quit"],
  ].join("\n");
  const options = { env: { HOME: home, TERM: "dumb" }, cwd: home, input: `${input}\n` };
  const { success, said } = await run(["cadaver", `http://${http}/dav/home/`], options);
  assert.ok(success, said);
  assert.doesNotMatch(said, /failed|error/i, said);
  assert.match(said, /Scope: exclusive {2}Type: write {2}Timeout: 1800 seconds/);
  assert.match(said, /colour = blue[^]*colour = blue/);
  assert.match(said, /ls moved[^]*copy +60000 /);
  assert.deepEqual(await Deno.readFile(`${home}/out`), bytes);
  assert.equal(await Deno.readTextFile(`${home}/text`), "hello");
}

async function rclone(http: string, home: string, bytes: Uint8Array): Promise<void> {
  const env = { HOME: home, RCLONE_CONFIG: `${home}/rclone.conf` };
  const options = { env, cwd: home };
  const does = async (...args: string[]) => {
    const { success, said } = await run(["rclone", "--retries", "1", ...args], options);
    assert.ok(success, `${args}: ${said}`);
    return said;
  };
  const password = (await run(["rclone", "obscure", "rclone-secret"], options)).said.trim();
  const url = `http://${http}/dav/home`;
  const remote = (name: string, vendor: string) =>
    `[${name}]\ntype = webdav\nurl = ${url}\nvendor = ${vendor}\nuser = rclone\npass = ${password}\n`;
  await Deno.writeTextFile(env.RCLONE_CONFIG, remote("r", "other") + remote("o", "owncloud"));
  await Deno.mkdir(`${home}/tree/deep`, { recursive: true });
  for (const name of ["one", "two", "deep/three é"]) {
    await Deno.writeTextFile(`${home}/tree/${name}`, name);
  }
  await Deno.utime(`${home}/tree/one`, 981173106, 981173106); // 2001-02-03 04:05:06 UTC
  await does("copy", "tree", "o:tree");
  assert.match(await does("check", "tree", "r:tree", "--download"), /3 matching files/);
  assert.match(await does("lsjson", "r:tree"), /"one".*"2001-02-03T04:05:06Z"/);
  await does("copyto", "big", "r:big");
  await does("moveto", "r:tree", "r:moved");
  await does("copyto", "r:big", "r:copy");
  assert.match(await does("size", "r:", "--json"), /"count":5,"bytes":120019/);
  assert.match(await does("about", "r:", "--json"), /"used": 120019,\s*"free": 9879981/);
  await does("copyto", "r:copy", "back");
  assert.deepEqual(await Deno.readFile(`${home}/back`), bytes);
  await does("purge", "r:moved");
  assert.equal(await does("lsf", "r:"), "big\ncopy\n");
}
