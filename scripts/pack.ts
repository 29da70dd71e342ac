import { createHash } from "node:crypto";
import { join } from "node:path";
import { bundle } from "./bundle.ts";
import { DENO_LICENSE } from "./deno_license.ts";
import { HEAP, HEAP_AT_ONCE, PERMISSIONS, UNSTABLE } from "./permissions.ts";
import { must, ROOT } from "./run.ts";

/**
 * How the unpacked runtime is told to run the program: it looks nothing up, downloads nothing and
 * asks nothing, whatever project lies in the current directory.
 */
const RUN: readonly string[] = [
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
 * compressed payload. The same sources, runtime and tools give the same bytes.
 *
 * `out` is synced, and not yet in its final place: to rename it is the caller's.
 */
export async function pack(root: string, out: string): Promise<void> {
  const tree = await Deno.makeTempDir({ prefix: "barge-pack-" });
  try {
    await bundle(root, join(tree, "program"));
    await Deno.copyFile(Deno.execPath(), join(tree, "barge"));
    await Deno.chmod(join(tree, "barge"), 0o755);
    await Deno.copyFile(join(ROOT, "LICENSE"), join(tree, "LICENSE"));
    await Deno.writeTextFile(join(tree, "LICENSE.deno"), DENO_LICENSE);
    await keepNoWebCaches(tree);

    const payload = await compress(tree);
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
 * Puts empty files where the runtime would make folders for web caches and local storage, which code
 * may write to without any permission (core/serve/cage.ts). The caches' names are those in stub.sh.
 */
async function keepNoWebCaches(tree: string): Promise<void> {
  for (const kind of ["server", "client"]) {
    await Deno.mkdir(join(tree, "cache", kind), { recursive: true });
    await Deno.writeTextFile(join(tree, "cache", kind, "location_data"), "");
  }
}

/** The tree as a tar that depends on nothing but its files' names, modes and bytes; gzipped. */
async function compress(tree: string): Promise<Uint8Array> {
  const path = `${tree}.tar.gz`;
  try {
    // Six is gzip's default: nine takes twice the time for a third of a percent.
    const args = ["--sort=name", "--mtime=@0", "--owner=0", "--group=0", "--numeric-owner"];
    const make = `umask 022 && tar --create --mode=u=rwX,go=rX "$@" . | gzip -n6 >"$0"`;
    await must("sh", ["-ec", make, path, ...args], { cwd: tree });
    return await Deno.readFile(path);
  } finally {
    await Deno.remove(path).catch(() => {});
  }
}

/** The header, with what is known only now filled in. */
async function stub(root: string, hash: string): Promise<string> {
  const text = await Deno.readTextFile(join(ROOT, "scripts/stub.sh"));
  const { version } = JSON.parse(await Deno.readTextFile(join(root, "deno.json")));
  return text
    .replace("@VERSION@", version)
    .replace("@HASH@", hash)
    .replace("@RUN@", RUN.join(" "))
    .replace("@SERVER@", HEAP.join(" "))
    .replace("@CLIENT@", HEAP_AT_ONCE.join(" "))
    .replace("@LINES@", String(text.split("\n").length));
}

async function writeAll(file: Deno.FsFile, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
}
