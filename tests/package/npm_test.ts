/** The npm package, installed and run without a network. */
import assert from "node:assert/strict";
import { lacks, output } from "./_debian.ts";
import { npmPackage, unless, version } from "./_packages.ts";

const isolate = ["--map-root-user", "--net"];
const missing = await lacks("npm", "--version") ?? await lacks("ip", "-V") ??
  await lacks("unshare", ...isolate, "true");

Deno.test({
  ...unless(missing, "npx runs the npm package without a network: a server, put and get"),
  async fn() {
    const folder = await Deno.makeTempDir({ prefix: "barge-npm-" });
    try {
      await Deno.copyFile(npmPackage, `${folder}/barge.tgz`);
      const env = {
        HOME: folder,
        npm_config_cache: await copyNpmCache(`${folder}/cache`),
        npm_config_update_notifier: "false",
      };
      const runtime = `deno@${Deno.version.deno}`;
      // The network is used if the cache has no runtime.
      await must(folder, env, "npm", "install", "--prefer-offline", "--prefix", "warm", runtime);
      const script = new URL("npm_run.sh", import.meta.url).pathname;
      const lines = await must(folder, env, "unshare", ...isolate, "sh", "-eu", script);
      assert.match(lines[0], new RegExp(`^barge ${version.replaceAll(".", "\\.")} \\(`));
      assert.deepEqual(lines.slice(1), ["same bytes", "exit code 4", "server ended with 0"]);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});

/** Copies npm's cache of downloads, since npx would leave its folders in the original. @returns `to` */
async function copyNpmCache(to: string): Promise<string> {
  const { stdout } = await output("npm", ["config", "get", "cache"]);
  const downloads = `${stdout.trim()}/_cacache`;
  const copy = `mkdir -p "$1/_cacache"; [ ! -d "$0" ] || cp -r "$0/." "$1/_cacache"`;
  const { code, stderr } = await output("sh", ["-c", copy, downloads, to]);
  assert.equal(code, 0, stderr);
  return to;
}

/** Runs a program that must succeed. @returns the lines of its standard output */
async function must(
  cwd: string,
  env: Record<string, string>,
  program: string,
  ...args: string[]
): Promise<string[]> {
  const result = await new Deno.Command(program, { args, cwd, env, stdin: "null" }).output();
  const [stdout, stderr] = [result.stdout, result.stderr].map((bytes) =>
    new TextDecoder().decode(bytes)
  );
  assert.ok(result.success, `${program} ${args[0]}: ${stderr}${stdout}`);
  return stdout.trim().split("\n");
}
