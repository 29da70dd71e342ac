import { createHash } from "node:crypto";
import { join } from "node:path";
import { archive } from "./archive.ts";
import { bundle } from "./bundle.ts";
import { DENO_LICENSE } from "./deno_license.ts";
import { CLIENT_HEAP, HEAP, PERMISSIONS, UNSTABLE } from "./permissions.ts";
import { ROOT } from "./run.ts";

/**
 * The options of the unpacked runtime: it ignores a project in the current directory, downloads
 * nothing and prompts for nothing.
 */
export const RUN: readonly string[] = [
  "run",
  "--quiet",
  "--no-prompt",
  "--no-check",
  "--no-config",
  "--no-lock",
  "--no-remote",
  "--no-npm",
  "--cached-only",
  ...UNSTABLE,
  ...PERMISSIONS,
];

/**
 * Writes the self-extracting executable of the program in `root` to `out`: scripts/stub.sh and the
 * compressed payload. The same sources, runtime and tools give the same bytes. `out` is synced.
 *
 * @param runtime the program that runs the bundle
 * @param gzipLevel 9 takes twice the time of 6, and saves a third of a percent; 1 takes a third of the time
 */
export async function pack(
  root: string,
  out: string,
  runtime: string = Deno.execPath(),
  gzipLevel = 6,
): Promise<void> {
  const tree = await Deno.makeTempDir({ prefix: "barge-pack-" });
  try {
    await bundle(root, join(tree, "program"));
    await Deno.copyFile(runtime, join(tree, "barge"));
    await Deno.chmod(join(tree, "barge"), 0o755);
    await Deno.copyFile(join(ROOT, "LICENSE"), join(tree, "LICENSE"));
    await Deno.writeTextFile(join(tree, "LICENSE.deno"), DENO_LICENSE);
    await blockWebCaches(tree);

    const payload = await compress(tree, gzipLevel);
    const header = await stub(root, createHash("sha256").update(payload).digest("hex"));
    using file = await Deno.open(out, { write: true, create: true, truncate: true });
    await writeAll(file, new TextEncoder().encode(header));
    await writeAll(file, payload);
    await file.sync();
  } finally {
    await Deno.remove(tree, { recursive: true });
  }
  await Deno.chmod(out, 0o755);
}

/**
 * Writes empty files in the places of the runtime's folders for web caches and local storage, which
 * code may write to without a permission (core/serve/removed_globals.ts). stub.sh names the same folders.
 */
async function blockWebCaches(tree: string): Promise<void> {
  for (const kind of ["server", "client"]) {
    await Deno.mkdir(join(tree, "cache", kind), { recursive: true });
    await Deno.writeTextFile(join(tree, "cache", kind, "location_data"), "");
  }
}

/** Returns the tree as a gzipped tar that depends only on its files' names, modes and bytes. */
async function compress(tree: string, gzipLevel: number): Promise<Uint8Array> {
  const path = `${tree}.tar.gz`;
  try {
    await archive(tree, ".", path, { time: 0, gzipLevel });
    return await Deno.readFile(path);
  } finally {
    await Deno.remove(path).catch(() => {}); // archive may have failed before it made the file
  }
}

/** Returns the header with its placeholders filled in. */
async function stub(root: string, hash: string): Promise<string> {
  const text = await Deno.readTextFile(join(ROOT, "scripts/stub.sh"));
  const { version } = JSON.parse(await Deno.readTextFile(join(root, "deno.json")));
  return text
    .replace("@VERSION@", version)
    .replace("@HASH@", hash)
    .replace("@RUN@", RUN.join(" "))
    .replace("@SERVER@", HEAP.join(" "))
    .replace("@CLIENT@", CLIENT_HEAP.join(" "))
    .replace("@LINES@", String(text.split("\n").length));
}

async function writeAll(file: Deno.FsFile, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
}
