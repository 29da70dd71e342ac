/**
 * The npm package: the bundled program, and a start of it in the npm package `deno`. It needs no other package, so
 * it runs on each system that `deno` has a program for.
 */
import { join } from "node:path";
import { archive } from "../archive.ts";
import { bundle } from "../bundle.ts";
import { RUN } from "../pack.ts";
import { CLIENT_HEAP, HEAP } from "../permissions.ts";
import { must } from "../run.ts";
import type { Content } from "./content.ts";
import type { Facts } from "./facts.ts";
import { summary } from "./facts.ts";
import { PackageTree } from "./tree.ts";

/**
 * Writes the package.
 *
 * @param source the staged source of the program
 * @param root the checkout, for its license
 * @param out the path of the package
 */
export async function writeNpm(
  { version, commit }: Facts,
  { licenses, documents }: Content,
  { source, root }: { readonly source: string; readonly root: string },
  out: string,
): Promise<void> {
  await using tree = await PackageTree.make();
  await tree.copy(join(import.meta.dirname!, "npm/launcher.cjs"), "package/barge.cjs", 0o755);
  const start = { version, run: RUN, serverHeap: HEAP.join(), clientHeap: CLIENT_HEAP.join() };
  await tree.write("package/start.json", json(start));
  await tree.write("package/package.json", json(manifest(version)));
  for (const [path, bytes] of documents) await tree.write(`package/${path}`, bytes);
  await tree.copy(join(root, "LICENSE"), "package/LICENSE");
  await tree.write("package/LICENSES.txt", licenses);
  const program = join(tree.root, "package/program");
  await bundle(source, program);
  await must("chmod", ["-R", "u=rwX,go=rX", program]);
  await archive(tree.root, "package", out, { time: commit.time, gzipLevel: 9 });
}

function manifest(version: string) {
  return {
    name: "barge",
    version,
    description: summary,
    license: "MIT",
    // The project has no name in the registry: npm installs this package from a file.
    private: true,
    bin: { barge: "barge.cjs" },
    engines: { node: ">=20" },
    dependencies: { deno: Deno.version.deno },
  };
}

function json(value: unknown): string {
  return JSON.stringify(value, null, 2) + "\n";
}
