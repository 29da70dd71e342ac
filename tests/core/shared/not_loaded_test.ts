/** A server on one machine loads nothing of the storage that machines share. */
import assert from "node:assert/strict";
import { dirname, join } from "node:path";

const root = new URL("../../../", import.meta.url).pathname;

/** Returns the files that a file loads at once, and the packages: not those of types, or loaded later. */
function loaded(entries: readonly string[]): Set<string> {
  const found = new Set<string>();
  const visit = (file: string) => {
    if (found.has(file)) return;
    found.add(file);
    if (!/\.tsx?$/.test(file)) return;
    const text = Deno.readTextFileSync(join(root, file));
    const statements = text.matchAll(
      /^(?:import|export) (?!type )[^;]*?from "([^"]+)";|^import "([^"]+)";/gm,
    );
    for (const [statement, from, bare] of statements) {
      const onlyTypes = /^\w+ \{(?:\s*type \w+(?: as \w+)?,?)+\s*\}/.test(statement);
      const target = from ?? bare;
      if (!onlyTypes) visit(target.startsWith(".") ? join(dirname(file), target) : target);
    }
  };
  for (const entry of entries) visit(entry);
  return found;
}

Deno.test("a server on one machine loads nothing of shared storage, nor its packages", () => {
  const doors = ["native", "http", "ftp", "sftp"].map((door) => `core/door/${door}/listen.ts`);
  const files = loaded([
    ...["main.ts", "cmd/put.ts", "cmd/get.ts", "cmd/serve.ts"],
    ...["core/serve/serve.ts", "core/serve/worker.ts"],
    ...["core/serve/local_ground.ts", "core/local/store.ts", ...doors],
  ]);
  assert(files.size > 100 && files.has("hono"), "the walk finds files and packages");
  const shared = [...files].filter((file) =>
    file.startsWith("core/shared/") || file === "postgres" || file === "aws4fetch"
  );
  assert.deepEqual(shared, []);
});
