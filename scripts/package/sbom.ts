/**
 * The software bill of materials in CycloneDX 1.6: the parts of the executable, with the licenses that
 * `barge licenses` prints and the digests of deno.lock.
 */
import { createHash } from "node:crypto";
import { join } from "node:path";
import { type License, licenses } from "../../cmd/_licenses.ts";
import { type Package, packages } from "../licenses.ts";
import type { Facts } from "./facts.ts";

/** Returns the SBOM of the program in `root` as JSON. The same commit gives the same text. */
export async function sbomOf(root: string, { version, commit }: Facts): Promise<string> {
  const lock = JSON.parse(await Deno.readTextFile(join(root, "deno.lock")));
  const parts = await packages(root);
  const own = component("application", { name: "barge", version, license: "MIT" }, "generic");
  const runtime = component(
    "application",
    licenseOf("deno", Deno.version.deno),
    "generic",
  );
  const components = parts.map((part) => ({
    ...component("library", licenseOf(part.name, part.version), "npm"),
    hashes: [{ alg: "SHA-512", content: sha512(lock.npm, part) }],
  }));
  const refs = new Map(parts.map((part) => [keyOf(part), purl("npm", part)]));
  const list = {
    bomFormat: "CycloneDX",
    specVersion: "1.6",
    serialNumber: `urn:uuid:${uuidOf(`barge ${version} ${commit.name} ${refs.size}`)}`,
    version: 1,
    metadata: {
      timestamp: new Date(commit.time * 1000).toISOString(),
      lifecycles: [{ phase: "build" }],
      component: { ...own, properties: [{ name: "barge:commit", value: commit.name }] },
    },
    components: [runtime, ...components],
    dependencies: [
      {
        ref: own["bom-ref"],
        dependsOn: [runtime["bom-ref"], ...await directRefs(root, refs)].sort(),
      },
      { ref: runtime["bom-ref"] },
      ...parts.map((part) => ({
        ref: purl("npm", part),
        dependsOn: [...new Set(part.dependencies.map((key) => refs.get(bareKey(key))!))].sort(),
      })),
    ],
  };
  return JSON.stringify(list, null, 2) + "\n";
}

function component(
  type: "application" | "library",
  { name, version, license }: Omit<License, "text">,
  origin: "npm" | "generic",
) {
  const [, scope, base] = /^(?:(@[^/]+)\/)?(.+)$/.exec(name)!;
  const ref = purl(origin, { name, version });
  const isExpression = / (OR|AND|WITH) /.test(license);
  return {
    type,
    "bom-ref": ref,
    ...scope === undefined ? {} : { group: scope },
    name: base,
    version,
    licenses: [isExpression ? { expression: license } : { license: { id: license } }],
    purl: ref,
  };
}

/** Returns the license of a part. @throws {Error} if `deno task licenses` was not run after a change */
function licenseOf(name: string, version: string): License {
  const license = licenses.find((other) => other.name === name && other.version === version);
  if (license === undefined) throw new Error(`cmd/_licenses.json has no ${name} ${version}`);
  return license;
}

/** Returns the package URL of a part. */
function purl(type: string, { name, version }: { name: string; version: string }): string {
  return `pkg:${type}/${name.replace("@", "%40")}@${version}`;
}

/** Returns the references of the packages that deno.json names. */
async function directRefs(root: string, refs: ReadonlyMap<string, string>): Promise<string[]> {
  const { imports } = JSON.parse(await Deno.readTextFile(join(root, "deno.json")));
  return Object.values<string>(imports).map((text) => refs.get(text.replace(/^npm:/, "")))
    .filter((ref) => ref !== undefined);
}

/** Returns NAME@VERSION, the key of a package in deno.lock. */
function keyOf({ name, version }: Package): string {
  return `${name}@${version}`;
}

/** Returns a key without the versions of peers, which follow behind `_`. */
function bareKey(key: string): string {
  return key.replace(/^(@?[^@]+@[^_]+)_.*$/, "$1");
}

/** Returns the SHA-512 of a package's archive, in hex. */
function sha512(lock: Readonly<Record<string, { integrity: string }>>, part: Package): string {
  const key = Object.keys(lock).find((key) => bareKey(key) === keyOf(part));
  const [, base64] = /^sha512-(.+)$/.exec(lock[key ?? ""]?.integrity ?? "") ?? [];
  if (base64 === undefined) throw new Error(`deno.lock has no SHA-512 of ${keyOf(part)}`);
  return Uint8Array.fromBase64(base64).toHex();
}

/** Returns a UUID that depends only on the text (RFC 9562, version 8). */
function uuidOf(text: string): string {
  const bytes = createHash("sha256").update(text).digest().subarray(0, 16);
  bytes[6] = bytes[6] & 0x0f | 0x80;
  bytes[8] = bytes[8] & 0x3f | 0x80;
  return bytes.toString("hex").replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
