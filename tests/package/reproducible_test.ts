/** The same commit gives the same bytes, from another folder and with other caches and settings. */
import assert from "node:assert/strict";
import { dist, root, unless, version } from "./_packages.ts";
import { lacks, output } from "./_debian.ts";

Deno.test({
  ...unless(
    await lacks("git", "-C", root, "rev-parse", "HEAD"),
    "two builds of one commit are the same bytes",
  ),
  async fn() {
    const folder = await Deno.makeTempDir({ prefix: "barge-other-" });
    try {
      const source = `${folder}/a/deeper/checkout`;
      await copyCheckout(root, source);
      const cache = `${folder}/cache`;
      await copyCache(cache);
      await Deno.mkdir(`${folder}/tmp`);
      const made = await new Deno.Command("sh", {
        args: ["-c", 'umask 077 && exec "$0" "$@"', Deno.execPath()].concat(
          ["run", "--allow-all", "scripts/package/main.ts", "--out", `${folder}/out`],
        ),
        cwd: source,
        env: { DENO_DIR: cache, TMPDIR: `${folder}/tmp`, TZ: "Asia/Tokyo", LC_ALL: "C.UTF-8" },
        stdin: "null",
      }).output();
      assert.ok(made.success, new TextDecoder().decode(made.stderr));

      const names = Array.from(Deno.readDirSync(`${folder}/out`), ({ name }) => name).sort();
      assert.ok(names.includes("barge") && names.includes(`barge-${version}.tgz`));
      for (const name of names) {
        const same = await output("cmp", [`${dist}/${name}`, `${folder}/out/${name}`]);
        assert.equal(same.code, 0, `${name}: ${same.stdout}${same.stderr}`);
      }
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});

/** Copies a checkout with its history and its changes, and without ignored files. */
async function copyCheckout(from: string, to: string): Promise<void> {
  const copy = `mkdir -p "$1" && cp -r .git "$1/" &&
    git ls-files -z --cached --others --exclude-standard | tar --null --files-from=- --create --file=- |
    tar --extract --file=- --directory="$1"`;
  const { code, stderr } = await output("sh", ["-ec", `cd "$0" && ${copy}`, from, to]);
  assert.equal(code, 0, stderr);
}

/** Copies the runtime's downloads to another folder, so that paths of this one show in a difference. */
async function copyCache(to: string): Promise<void> {
  const { stdout } = await output(Deno.execPath(), ["info", "--json"]);
  const { denoDir } = JSON.parse(stdout);
  await Deno.mkdir(to);
  for (const name of ["npm", "dl"]) {
    await output("cp", ["-r", `${denoDir}/${name}`, `${to}/${name}`]);
  }
}
