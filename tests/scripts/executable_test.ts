/** The executable of the real program, alone, in an empty environment: serve, put, get, a worker. */
import assert from "node:assert/strict";
import { compile } from "../../scripts/compile.ts";
import { denoCommand, executable } from "../_program.ts";

const source = decodeURIComponent(new URL("../..", import.meta.url).pathname).replace(/\/$/, "");

Deno.test("executable: serves, puts and gets with nothing else on the machine", async () => {
  const root = await Deno.makeTempDir({ prefix: "barge-executable-" });
  try {
    const program = `${root}/barge`;
    if (executable && await isSelfExtracting(executable)) await Deno.copyFile(executable, program);
    else await compile(source, program, { selfExtracting: true });
    const home = `${root}/home`;
    await Deno.mkdir(home);
    const env = { HOME: home };
    const barge = async (args: string[], more: Record<string, string> = {}) => {
      const { code, stdout, stderr } = await new Deno.Command(program, {
        args,
        env: { ...env, ...more },
        clearEnv: true,
        stdin: "null",
      }).output();
      const text = new TextDecoder();
      return { code, stdout: text.decode(stdout), stderr: text.decode(stderr) };
    };

    const { version } = JSON.parse(await Deno.readTextFile(`${source}/deno.json`));
    const shown = await barge(["--version"]);
    assert.deepEqual([shown.code, shown.stderr], [0, ""]);
    assert.match(shown.stdout, /^barge \S+ \(([0-9a-f]{12}(-dirty)?|commit unknown)\)\n$/);
    assert.ok(shown.stdout.startsWith(`barge ${version} (`));

    await Deno.writeTextFile(`${root}/password`, "long enough\n");
    const added = await barge(["user", "add", "alice", "--password-file", `${root}/password`], {
      BARGE_DATA: `${home}/.local/share/barge`, // the default one, which only `serve` makes unnamed
    });
    assert.equal(added.code, 0, added.stderr);

    await using server = new Deno.Command(program, {
      args: [
        ...["serve", "--native", "127.0.0.1:0", "--http", "127.0.0.1:0"],
        ...["--workers", "2", "--json"],
      ],
      env,
      clearEnv: true,
      stdin: "null",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    const lines = server.stdout.pipeThrough(new TextDecoderStream()).getReader();
    let line = "";
    while (!line.includes("\n")) {
      const { value, done } = await lines.read();
      if (done) throw new Error("the server ended before it was ready");
      line += value;
    }
    const { native, http } = JSON.parse(line) as { native: string; http: string };

    const login = { BARGE_SERVER: `barge://alice@${native}`, BARGE_PASSWORD: "long enough" };
    const bytes = crypto.getRandomValues(new Uint8Array(65536));
    await Deno.writeFile(`${root}/up`, bytes);
    const put = await barge(["put", `${root}/up`, "/home/file", "--json"], login);
    assert.equal(put.code, 0, put.stderr);
    assert.equal(JSON.parse(put.stdout).status, "sent");
    const got = await barge(["get", "/home/file", `${root}/down`], login);
    assert.equal(got.code, 0, got.stderr);
    assert.deepEqual(await Deno.readFile(`${root}/down`), bytes);
    assert.equal((await barge(["get", "/home/nothing", `${root}/x`], login)).code, 4);

    // All that is read from files beside the code: the page's assets, licenses, lessons' texts.
    const page = await (await fetch(`http://${http}/login`)).text();
    const assets = page.match(/\/assets\/[^"]+/g) ?? [];
    assert.ok(assets.length > 1, page);
    for (const path of assets) {
      const response = await fetch(`http://${http}${path}`);
      assert.equal(response.status, 200, path);
      assert.ok((await response.text()).length > 100, path);
    }
    assert.match((await barge(["licenses"])).stdout, /^deno 2\.9\.6 \(MIT\)$/m);
    const lesson = await barge(["demo", "lock"]);
    assert.equal(lesson.code, 0, lesson.stderr);
    assert.match((await barge(["demo", "lock", "--explain"])).stdout, /lock/);
    // A stack names our functions, where the bundler puts them.
    const failure = await barge(["ls", "--debug"], { ...login, BARGE_SERVER: "alice@127.0.0.1:1" });
    assert.match(failure.stderr, /^ {4}at .*program\/.*\.js:\d+/m);
    assert.match(failure.stderr, /^ {4}at async main /m);

    server.kill("SIGTERM");
    assert.equal((await server.status).code, 0);
    await lines.cancel();
    // Only its own folders: no cache of the runtime's, no traces elsewhere.
    const left = Array.from(Deno.readDirSync(home), (entry) => entry.name).sort();
    assert.deepEqual(left, [".cache", ".local"]);
    assert.deepEqual(Array.from(Deno.readDirSync(`${home}/.cache`), (e) => e.name), ["barge"]);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
});

Deno.test("checkout: starts without an executable, too", async () => {
  const [command, ...args] = denoCommand([`${source}/main.ts`, "--version"]);
  const { code, stdout } = await new Deno.Command(command, { args, stdin: "null" }).output();
  const { version } = JSON.parse(await Deno.readTextFile(`${source}/deno.json`));
  assert.deepEqual([code, new TextDecoder().decode(stdout)], [0, `barge ${version} (checkout)\n`]);
});

/** Returns whether an executable is a shell script with a payload, as scripts/pack.ts makes it. */
async function isSelfExtracting(path: string): Promise<boolean> {
  using file = await Deno.open(path);
  const start = new Uint8Array(2);
  await file.read(start);
  return new TextDecoder().decode(start) === "#!";
}
