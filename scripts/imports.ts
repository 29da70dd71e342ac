/**
 * `deno run --allow-read scripts/imports.ts`: checks that imports point down the list of rooms, that
 * no files import each other in a circle, and some rules for single rooms.
 */
import { dirname, join, normalize } from "node:path";
import { withoutComments } from "./referenced_files.ts";
import { ROOT, say } from "./run.ts";
import { sourceFiles } from "./source.ts";

/** The rooms, from the top down. A room may import from itself and from the rooms below. */
const FLOORS = [
  "main.ts",
  "cmd",
  "core/bench",
  "core/demo",
  "core/echo",
  "core/doctor",
  "core/serve",
  "core/events",
  "core/acme",
  "core/door",
  "core/client",
  "core/session",
  "core/migrate",
  "core/repair",
  "core/upload",
  "core/login",
  "core/shared/verify",
  "core/shared",
  "core/shared/nodes",
  "core/shared/people",
  "core/shared/upload",
  "core/shared/tree",
  "core/shared/bucket",
  "core/shared/database",
  "core/local",
  "core/local/account",
  "core/local/ledger",
  "core/local/database",
  "core/local/vault",
  "core/watch",
  "core/storage",
  "core/protocol",
  "core/sync",
  "core/outbound",
  "core/net",
  "core/disk",
  "core/counted.ts",
  "core/duration.ts",
  "core/size.ts",
  "core/error.ts",
];

/** Rooms of the server. A client knows a server only by the protocol. */
const CLIENT_NEVER = [
  "core/door",
  "core/session",
  "core/repair",
  "core/upload",
  "core/login",
  "core/shared",
  "core/local",
  "core/watch",
  "core/storage",
];

/** The entries that deno.json exports to other projects. */
const LIBRARIES = ["core/client/mod.ts", "core/protocol/mod.ts", "core/sync/mod.ts"];

/** Each file with its imports: paths from the root, or specifiers as written. */
type Imports = ReadonlyMap<string, readonly string[]>;

/** Rooms that know storage only by the interfaces of core/storage. */
const ANY_STORAGE = ["core/door", "core/session", "core/upload", "core/login"];

/** Returns the breaches of the import rules in the tree at `root`, one line each. */
export function breaches(root: string): string[] {
  const files = sourceFiles(root);
  const texts = files.map((file) =>
    [file, withoutComments(Deno.readTextFileSync(join(root, file)))] as const
  );
  const imports: Imports = new Map(texts.map(([file, text]) => [file, importsOf(file, text)]));
  const found = files.filter((file) =>
    /^core\/(.*\/)?mod\.tsx?$/.test(file) && !LIBRARIES.includes(file)
  )
    .map((file) => `${file}: a barrel file; import from the files themselves`);
  for (const [file, targets] of imports) {
    for (const target of targets) {
      const why = breach(file, target);
      if (why !== undefined) found.push(`${file} -> ${target}: ${why}`);
    }
  }
  for (const circle of circles(imports)) found.push(`${circle.join(" -> ")}: a circle`);
  return found;
}

function breach(file: string, target: string): string | undefined {
  if (target === "node:sqlite" && !file.startsWith("core/local/")) {
    return "only core/local opens the database";
  }
  if (!/\.tsx?$/.test(target)) return undefined; // a package, or an asset
  const [from, to] = [room(file), room(target)];
  const [above, below] = [FLOORS.indexOf(from), FLOORS.indexOf(to)];
  if (above < 0) return `${from} is not on the list in scripts/imports.ts`;
  if (below < 0) return `${to} is not on the list in scripts/imports.ts`;
  if (below < above) return "points up";
  if (from === "core/client" && CLIENT_NEVER.some((room) => to.startsWith(room))) {
    return "a client knows only the protocol";
  }
  const storages = ["core/local", "core/shared"];
  if (ANY_STORAGE.includes(from) && storages.some((room) => to.startsWith(room))) {
    return "only core/storage's interfaces are known here";
  }
  return undefined;
}

/** Returns the room of a file: the longest match on the list, else its folder. */
function room(file: string): string {
  const listed = FLOORS.filter((floor) => file === floor || file.startsWith(`${floor}/`));
  if (listed.length > 0) return listed.reduce((a, b) => b.length > a.length ? b : a);
  const parts = file.split("/");
  return parts.slice(0, parts[0] === "core" ? 2 : 1).join("/");
}

/** Returns the static, dynamic and re-exported imports of a file. */
function importsOf(file: string, text: string): string[] {
  const specifiers = text
    .matchAll(/(?:\bfrom\s*|\bimport\s*\(\s*|\bimport\s+)"([^"]+)"/g);
  const targets = Array.from(
    specifiers,
    ([, specifier]) =>
      specifier.startsWith(".") ? normalize(join(dirname(file), specifier)) : specifier,
  );
  return [...new Set(targets)];
}

/** Returns the circles of files; the first file of each is also its last. */
function circles(imports: Imports): string[][] {
  const result: string[][] = [];
  const done = new Set<string>();
  const visit = (file: string, path: string[]) => {
    const at = path.indexOf(file);
    if (at >= 0) result.push([...path.slice(at), file]);
    if (at >= 0 || done.has(file)) return;
    for (const target of imports.get(file) ?? []) visit(target, [...path, file]);
    done.add(file);
  };
  for (const file of imports.keys()) visit(file, []);
  return result;
}

if (import.meta.main) {
  const lines = breaches(ROOT);
  lines.forEach(say);
  if (lines.length > 0) Deno.exit(1);
}
