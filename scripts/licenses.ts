/**
 * `deno task licenses`: writes cmd/_licenses.json, the output of `barge licenses`: barge, the
 * runtime of the executable, and the npm packages that the program imports, at the versions in
 * deno.lock.
 */
import { join } from "node:path";
import type { License } from "../cmd/_licenses.ts";
import { APACHE_LICENSE } from "./apache_license.ts";
import { isModule, referencedFiles } from "./referenced_files.ts";
import { DENO_LICENSE } from "./deno_license.ts";
import { iscLicense } from "./isc_license.ts";
import { mitLicense } from "./mit_license.ts";
import { must, ROOT, say } from "./run.ts";
import { UNLICENSE } from "./unlicense.ts";

/** A package in the output of `deno info --json`. */
export interface Package {
  readonly name: string;
  readonly version: string;
  readonly localPath: string;
  /** Keys of `npmPackages`. */
  readonly dependencies: readonly string[];
}

/** The output of `deno info --json` for an entry: its modules, and every package in deno.lock. */
interface Info {
  readonly modules: readonly { specifier: string; npmPackage?: string; error?: string }[];
  readonly npmPackages: Readonly<Record<string, Package>>;
}

/** Returns the npm packages in the executable: those of main.ts and of each worker. */
export async function packages(root: string): Promise<Package[]> {
  const packages = new Map<string, Package>();
  for (const entry of ["main.ts", ...referencedFiles(root).values()].filter(isModule)) {
    const info: Info = JSON.parse(
      await must(Deno.execPath(), ["info", "--json", entry], { cwd: root }),
    );
    const add = (key: string) => {
      if (packages.has(key)) return;
      packages.set(key, info.npmPackages[key]);
      info.npmPackages[key].dependencies.forEach(add);
    };
    for (const { specifier, npmPackage, error } of info.modules) {
      if (error !== undefined) throw new Error(`${specifier}: ${error}`);
      if (npmPackage !== undefined) add(npmPackage);
    }
  }
  return [...packages.keys()].sort().map((key) => packages.get(key)!);
}

/** Returns the licenses of all parts of the executable. */
export async function licenses(root: string): Promise<License[]> {
  const { version } = JSON.parse(await Deno.readTextFile(join(root, "deno.json")));
  const own = await Deno.readTextFile(join(root, "LICENSE"));
  return [
    { name: "barge", version, license: "MIT", text: own },
    { name: "deno", version: Deno.version.deno, license: "MIT", text: DENO_LICENSE },
    ...await Promise.all((await packages(root)).map(licenseOf)),
  ];
}

async function licenseOf({ name, version, localPath }: Package): Promise<License> {
  const facts = JSON.parse(await Deno.readTextFile(join(localPath, "package.json")));
  // Old packages have a list of licenses.
  const license = facts.license ?? facts.licenses?.map(({ type }: { type: string }) => type).join();
  if (typeof license !== "string") throw new Error(`${name}@${version} names no license`);
  const files = Array.from(Deno.readDirSync(localPath), (entry) => entry.name)
    .filter((file) => /^(licen[cs]e|copying|notice)([.-]|$)/i.test(file)).sort();
  if (files.length === 0 && license === "Apache-2.0") {
    return { name, version, license, text: APACHE_LICENSE };
  }
  if (files.length === 0 && license === "Unlicense") {
    return { name, version, license, text: UNLICENSE };
  }
  if (files.length === 0 && license === "MIT" && typeof facts.author === "string") {
    return { name, version, license, text: mitLicense(`Copyright (c) ${facts.author}`) };
  }
  if (files.length === 0 && name === "saxes") {
    // A fork of sax. Its repository has the license, its package does not.
    const holders = ["Contributors", "Isaac Z. Schlueter and Contributors"];
    const notices = holders.map((holder) => `Copyright (c) ${holder}`).join("\n");
    return { name, version, license, text: iscLicense(notices) };
  }
  if (files.length === 0) throw new Error(`${name}@${version} carries no license text`);
  const texts = await Promise.all(files.map((file) => Deno.readTextFile(join(localPath, file))));
  return { name, version, license, text: texts.join("\n") };
}

if (import.meta.main) {
  const all = await licenses(ROOT);
  await Deno.writeTextFile(`${ROOT}/cmd/_licenses.json`, JSON.stringify(all, null, 2) + "\n");
  say(`cmd/_licenses.json: ${all.length} licenses`);
}
