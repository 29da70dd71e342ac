/** The content of the packages: digests, the SBOM, the unit, and what lintian finds. */
import assert from "node:assert/strict";
import { Spec, Validation } from "@cyclonedx/cyclonedx-library";
import "ajv"; // the validator loads these three
import "ajv-formats";
import "ajv-formats-draft2019";
import { licenses } from "../../cmd/_licenses.ts";
import { commitOf } from "../../scripts/package/commit.ts";
import { lacks, output } from "./_debian.ts";
import { bill, deb, dist, root, tarball, unless, version } from "./_packages.ts";

/** Calls a function with a folder, and removes the folder. */
async function inFolder(run: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "barge-content-" });
  try {
    await run(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function must(program: string, ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await output(program, args);
  assert.equal(code, 0, stdout + stderr);
  return stdout;
}

Deno.test("SHA256SUMS has the digests of all packages", async () => {
  const shown = await must("sh", "-c", `cd "$0" && sha256sum --check SHA256SUMS`, dist);
  assert.equal(shown.match(/: OK$/gm)?.length, 4);
});

Deno.test("the tarball has the executable, which names its commit, man pages and completions", async () => {
  await inFolder(async (folder) => {
    await must(
      "tar",
      "--extract",
      "--file",
      tarball,
      "--directory",
      folder,
      "--strip-components=1",
    );
    const { name } = await commitOf(root);
    assert.equal(await must(`${folder}/barge`, "--version"), `barge ${version} (${name})\n`);
    for (
      const path of ["man/man1/barge-put.1", "completions/_barge", "docs/install.md", "LICENSE"]
    ) {
      assert.ok((await Deno.stat(`${folder}/${path}`)).size > 0, path);
    }
    assert.equal(await Deno.readTextFile(`${folder}/sbom.cdx.json`), await Deno.readTextFile(bill));
  });
});

Deno.test("the SBOM is valid CycloneDX 1.6, and has every part of the executable", async () => {
  const text = await Deno.readTextFile(bill);
  const validator = new Validation.JsonStrictValidator(Spec.Version.v1dot6);
  assert.equal(await validator.validate(text), null);
  assert.notEqual(await validator.validate(text.replace('"library"', '"liberry"')), null);
  const list = JSON.parse(text);
  type Part = { group?: string; name: string; version: string };
  const names = (parts: Part[]) =>
    parts.map(({ group, name, version }) => `${group ? `${group}/` : ""}${name} ${version}`);
  assert.deepEqual(
    names([list.metadata.component, ...list.components]).sort(),
    names([...licenses]).sort(),
  );
});

Deno.test({
  ...unless(
    await lacks("systemd-analyze", "--version"),
    "the Debian package: systemd accepts its units, and confines the server",
  ),
  fn: () =>
    inFolder(async (folder) => {
      await must("dpkg-deb", "--extract", deb, folder);
      const unit = `${folder}/usr/lib/systemd/system/barge.service`;
      const text = await Deno.readTextFile(unit);
      assert.match(text, /^User=barge$/m);
      assert.match(text, /^ExecStart=\/usr\/bin\/barge serve --config \/etc\/barge\/barge.toml$/m);
      await Deno.writeTextFile(unit, text.replace("/usr/bin/barge", `${folder}/usr/bin/barge`));
      const units = [unit, unit.replace(/service$/, "socket")];
      const verified = await output("systemd-analyze", ["verify", "--man=no", ...units]);
      assert.deepEqual(verified, { code: 0, stdout: "", stderr: "" });
      const options = ["security", "--offline=true", "--no-pager", "--threshold=20", unit];
      assert.match(await must("systemd-analyze", ...options), /Overall exposure level .*: .* OK/);
    }),
});

Deno.test({
  ...unless(
    await lacks("lintian", "--version"),
    "the Debian package: lintian finds nothing but the stated override",
  ),
  async fn() {
    const { code, stdout } = await output("lintian", ["--allow-root", "--fail-on=warning", deb]);
    assert.deepEqual([code, stdout], [0, ""]);
  },
});
