/** The tarball: the executable with what a package would install, in one folder. */
import { join } from "node:path";
import { archive } from "../archive.ts";
import type { Content } from "./content.ts";
import type { Facts } from "./facts.ts";
import { PackageTree } from "./tree.ts";

/**
 * Writes the tarball.
 *
 * @param files the executable and the SBOM
 * @param out the path of the tarball, NAME.tar.gz; its folder is NAME
 */
export async function writeTarball(
  { commit }: Facts,
  content: Content,
  files: { readonly executable: string; readonly sbom: string; readonly root: string },
  out: string,
): Promise<void> {
  await using tree = await PackageTree.make();
  const name = out.replace(/^.*\//, "").replace(/\.tar\.gz$/, "");
  await tree.copy(files.executable, `${name}/barge`, 0o755);
  await tree.copy(join(files.root, "LICENSE"), `${name}/LICENSE`);
  await tree.write(`${name}/LICENSES.txt`, content.licenses);
  await tree.write(`${name}/sbom.cdx.json`, files.sbom);
  for (const [page, text] of content.man) {
    await tree.write(`${name}/man/man${page.at(-1)}/${page}`, text);
  }
  const { bash, zsh, fish } = content.completions;
  await tree.write(`${name}/completions/barge.bash`, bash);
  await tree.write(`${name}/completions/_barge`, zsh);
  await tree.write(`${name}/completions/barge.fish`, fish);
  for (const [path, bytes] of content.documents) await tree.write(`${name}/${path}`, bytes);
  await archive(tree.root, name, out, { time: commit.time, gzipLevel: 6 });
}
