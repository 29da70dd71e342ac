/** The packages under test: those that `deno task package` made in dist/. */
import config from "../../deno.json" with { type: "json" };

export const root: string = new URL("../..", import.meta.url).pathname.replace(/\/$/, "");
export const version: string = config.version;
const architecture = Deno.build.arch === "aarch64" ? "arm64" : "amd64";

/** The folder with the packages. */
export const dist: string = Deno.env.get("BARGE_PACKAGES") ?? `${root}/dist`;

export const deb = `${dist}/barge_${version}_${architecture}.deb`;
export const tarball = `${dist}/barge-${version}-linux-${architecture}.tar.gz`;
export const npmPackage = `${dist}/barge-${version}.tgz`;
export const bill = `${dist}/barge-${version}.cdx.json`;

/** Returns the head of a test that is left out for a reason, which its name shows. */
export function unless(
  reason: string | undefined,
  name: string,
): { name: string; ignore: boolean } {
  const isLeftOut = reason !== undefined;
  return { name: isLeftOut ? `${name} (skipped: ${reason})` : name, ignore: isLeftOut };
}
