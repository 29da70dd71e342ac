/**
 * `deno task package [--out FOLDER]`: makes the packages of this commit in dist/: a Debian package, a tarball,
 * an npm package, an SBOM, and SHA256SUMS of these. Two runs for one commit give the same bytes, in any folder.
 */
import { createHash } from "node:crypto";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { compile } from "../compile.ts";
import { ROOT, say } from "../run.ts";
import { collectContent } from "./content.ts";
import { debianVersion, writeDeb } from "./deb.ts";
import { factsOf } from "./facts.ts";
import { writeNpm } from "./npm.ts";
import { sbomOf } from "./sbom.ts";
import { stageSource } from "./staged_source.ts";
import { writeTarball } from "./tarball.ts";

/**
 * Makes the packages of the checkout in `root`. Files in `out` with the same names are replaced.
 *
 * @param selfExtracting whether the executable is made without `deno compile`
 * @returns the names of the files
 * @throws {Error} on a system other than Linux, and if a tool fails
 */
export async function makePackages(
  root: string,
  out: string,
  selfExtracting = false,
): Promise<string[]> {
  if (Deno.build.os !== "linux") throw new Error("packages are made on Linux only");
  const facts = await factsOf(root);
  const { version, architecture } = facts;
  await Deno.mkdir(out, { recursive: true });
  const executable = join(out, "barge");
  await compile(root, executable, { selfExtracting });
  const [content, sbom] = await Promise.all([collectContent(root, facts), sbomOf(root, facts)]);
  await using source = await stageSource(root);
  const deb = `barge_${debianVersion(version)}_${architecture}.deb`;
  const tarball = `barge-${version}-linux-${architecture}.tar.gz`;
  const npm = `barge-${version}.tgz`;
  const bill = `barge-${version}.cdx.json`;
  await Deno.writeTextFile(join(out, bill), sbom);
  await writeDeb(facts, content, executable, join(out, deb));
  await writeTarball(facts, content, { executable, sbom, root }, join(out, tarball));
  await writeNpm(facts, content, { source: source.root, root }, join(out, npm));
  const names = [bill, deb, npm, tarball].sort();
  const sums = await Promise.all(names.map(async (name) => {
    const digest = createHash("sha256").update(await Deno.readFile(join(out, name))).digest("hex");
    return `${digest}  ${name}\n`;
  }));
  await Deno.writeTextFile(join(out, "SHA256SUMS"), sums.join(""));
  return [...names, "SHA256SUMS"];
}

if (import.meta.main) {
  const { values } = parseArgs({
    args: Deno.args,
    options: {
      out: { type: "string", default: join(ROOT, "dist") },
      "self-extracting": { type: "boolean", default: false },
    },
  });
  try {
    const names = await makePackages(ROOT, resolve(values.out), values["self-extracting"]);
    for (const name of names) say(join(values.out, name));
  } catch (error) {
    say(error instanceof Error ? error.message : String(error));
    Deno.exit(1);
  }
}
