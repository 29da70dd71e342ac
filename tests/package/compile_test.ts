import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { dirname, join } from "node:path";
import { compile } from "../../scripts/compile.ts";
import { STANDIN } from "./_standin.ts";

/** What the header says to the runtime by the environment, and nothing else is added. */
const ADDED = ["DENO_DIR", "DENO_NODE_SHIM_ACTIVE", "DENO_NO_UPDATE_CHECK"];

let root: string;
let barge: string;
/** A home where the executable has been unpacked, by the first start. */
let home: string;
let firstStart: Awaited<ReturnType<typeof start>>;

Deno.test.beforeAll(async () => {
  root = await Deno.makeTempDir({ prefix: "barge-compile-" });
  for (const [path, text] of Object.entries(STANDIN)) {
    await Deno.mkdir(dirname(join(root, "src", path)), { recursive: true });
    await Deno.writeTextFile(join(root, "src", path), text);
  }
  barge = join(root, "dist/barge");
  await compile(join(root, "src"), barge, { selfExtracting: true, gzipLevel: 1 });
  home = await emptyHome();
  firstStart = await start({ HOME: home }, ["--version"]);
});

Deno.test.afterAll(async () => {
  await Deno.remove(root, { recursive: true });
});

/** A home of its own, with nothing in it. */
function emptyHome(): Promise<string> {
  return Deno.makeTempDir({ dir: root, prefix: "home-" });
}

/** Starts the executable with this environment and no other. */
async function start(
  env: Record<string, string>,
  args: string[],
  options: { program?: string; cwd?: string; stdin?: Uint8Array<ArrayBuffer> } = {},
) {
  await using child = new Deno.Command(options.program ?? barge, {
    args,
    env,
    clearEnv: true,
    cwd: options.cwd,
    stdin: options.stdin ? "piped" : "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const fed = options.stdin
    ? new Blob([options.stdin]).stream().pipeTo(child.stdin)
    : Promise.resolve();
  const [{ code, stdout, stderr }] = await Promise.all([child.output(), fed]);
  const text = new TextDecoder();
  return { code, bytes: stdout, stdout: text.decode(stdout), stderr: text.decode(stderr) };
}

/** What lies in the cache of this home. */
function cached(home: string): string[] {
  return Array.from(Deno.readDirSync(join(home, ".cache/barge")), (entry) => entry.name).sort();
}

/** The one unpacked version there. */
function unpacked(home: string): string {
  return cached(home).find((name) => /^[0-9a-f]{64}$/.test(name))!;
}

Deno.test("compile: it makes one executable file and nothing else", async () => {
  deepStrictEqual(Array.from(Deno.readDirSync(dirname(barge)), (entry) => entry.name), ["barge"]);
  strictEqual((await Deno.stat(barge)).mode! & 0o777, 0o755);
});

Deno.test("compile: no bundled file names a folder of the machine that made it", () => {
  const program = join(home, ".cache/barge", unpacked(home), "program");
  for (const { name, isFile } of Deno.readDirSync(program)) {
    if (isFile) ok(!/registry\.|\.cache/.test(Deno.readTextFileSync(join(program, name))), name);
  }
});

Deno.test("compile: it starts in an empty environment, and again without its payload", async () => {
  const { code, stdout, stderr } = firstStart;
  deepStrictEqual([code, stdout, stderr], [0, '"1.2.3"\n', ""]);
  deepStrictEqual(cached(home).map((name) => name.replace(/^[0-9a-f]{64}$/, "HASH")), [
    ".lock",
    "HASH",
  ]);
  deepStrictEqual(Array.from(Deno.readDirSync(join(home, ".cache")), ({ name }) => name), [
    "barge",
  ]);

  const header = join(root, "header");
  await Deno.writeFile(header, (await Deno.readFile(barge)).subarray(0, 16_384), { mode: 0o755 });
  const second = await start({ HOME: home }, ["--version"], { program: header });
  deepStrictEqual([second.code, second.stdout, second.stderr], [0, '"1.2.3"\n', ""]);
});

Deno.test("compile: arguments, streams and exit code pass through", async () => {
  const args = ["", "a b", "--allow-run", "-", "*", "$HOME", "line\nbreak", "é"];
  deepStrictEqual(JSON.parse((await start({ HOME: home }, ["args", ...args])).stdout), args);

  const bytes = crypto.getRandomValues(new Uint8Array(60_000));
  deepStrictEqual((await start({ HOME: home }, ["cat"], { stdin: bytes })).bytes, bytes);

  for (const code of [0, 1, 7, 130]) {
    strictEqual((await start({ HOME: home }, ["exit", String(code)])).code, code);
  }
});

Deno.test("compile: the program sees the environment of whoever started it", async () => {
  const bare: Record<string, string> = { HOME: home };
  for (const env of [bare, { ...bare, PATH: "/nowhere", NO_COLOR: "1" }]) {
    const seen = JSON.parse((await start(env, ["env"])).stdout);
    for (const name of ADDED) delete seen[name];
    delete seen.PWD; // dash exports it
    deepStrictEqual(seen, env);
  }
});

Deno.test("compile: signals reach the program, which has the process id of the start", async () => {
  await using child = new Deno.Command(barge, {
    args: ["wait"],
    env: { HOME: home },
    clearEnv: true,
    stdout: "piped",
  }).spawn();
  const reader = child.stdout.getReader();
  const { value } = await reader.read();
  strictEqual(Number(new TextDecoder().decode(value)), child.pid);
  child.kill("SIGTERM");
  strictEqual((await child.status).code, 42);
  await reader.cancel();
});

Deno.test("compile: the executable has lazy imports, workers with their permissions, and assets", async () => {
  strictEqual((await start({ HOME: home }, ["match", "*.ts", "a.ts"])).stdout, "true\n");
  deepStrictEqual(JSON.parse((await start({ HOME: home }, ["worker"])).stdout), {
    asset: "an asset",
    answer: { read: "NotCapable", cache: "refused", match: true },
  });
  const folder = join(home, ".cache/barge", unpacked(home), "cache");
  for (const kind of ["server", "client"]) {
    ok((await Deno.lstat(join(folder, kind, "location_data"))).isFile, kind);
  }
});

Deno.test("compile: every form of using disposes its value", async () => {
  const { disposed } = await import(join(root, "src/core/using.ts"));
  const expected: string[] = await disposed();
  strictEqual(expected.length, 20);
  deepStrictEqual(JSON.parse((await start({ HOME: home }, ["using"])).stdout), expected);
});

Deno.test("compile: a project in a folder above it, or above its cache, is ignored", async () => {
  for (const name of ["deno.json", "package.json", "tsconfig.json", "deno.lock"]) {
    await Deno.writeTextFile(join(home, name), "{ broken");
  }
  const { code, stderr } = await start({ HOME: home }, ["worker"], { cwd: home });
  deepStrictEqual([code, stderr], [0, ""]);
});

Deno.test("compile: twenty first starts at once all run, and unpack once", async () => {
  const home = await emptyHome();
  const all = await Promise.all(
    Array.from({ length: 20 }, (_, i) => start({ HOME: home }, ["args", String(i)])),
  );
  deepStrictEqual(
    all.map(({ code, stdout, stderr }) => [code, stdout, stderr]),
    all.map((_, i) => [0, `["${i}"]\n`, ""]),
  );
  strictEqual(cached(home).length, 2);
});

Deno.test("compile: a killed first start is cleaned up by the next", async () => {
  const home = await emptyHome();
  await Deno.mkdir(join(home, ".cache/barge"), { recursive: true });
  using watcher = Deno.watchFs(join(home, ".cache/barge"));
  await using child = new Deno.Command(barge, { env: { HOME: home }, clearEnv: true }).spawn();
  for await (const event of watcher) {
    if (event.paths.some((path) => path.includes(".unpack."))) break;
  }
  child.kill("SIGKILL");
  await child.status;
  ok(cached(home).some((name) => name.startsWith(".unpack.")), "killed too late to test this");

  const { code, stderr } = await start({ HOME: home }, ["--version"]);
  deepStrictEqual([code, stderr], [0, ""]);
  strictEqual(cached(home).length, 2);
});

Deno.test("compile: a cache that lost its runtime is unpacked anew", async () => {
  await Deno.remove(join(home, ".cache/barge", unpacked(home), "barge"));
  strictEqual((await start({ HOME: home }, ["--version"])).code, 0);
});

Deno.test("compile: if no folder can be written, the message names a remedy", async () => {
  // Not by chmod, which does not bind root.
  const { code, stderr } = await start({ HOME: "/proc", TMPDIR: "/proc" }, ["--version"]);
  strictEqual(code, 7);
  match(stderr, /^barge: cannot unpack into \/proc\/\.cache\/barge .*set XDG_CACHE_HOME/);
});

Deno.test("compile: a truncated executable is reported and leaves nothing behind", async () => {
  const home = await emptyHome();
  const cut = join(root, "cut");
  await Deno.writeFile(cut, (await Deno.readFile(barge)).subarray(0, 1_000_000), { mode: 0o755 });
  const { code, stderr } = await start({ HOME: home }, ["--version"], { program: cut });
  strictEqual(code, 7);
  match(stderr, /barge: cannot unpack into .*: the disk is full, or .* is damaged/);
  deepStrictEqual(cached(home), [".lock"]);
});
