import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";

interface Module {
  readonly specifier: string;
  readonly dependencies?: readonly {
    readonly code?: { readonly specifier: string };
    readonly isDynamic?: boolean;
  }[];
}

/** Everything that is loaded before a verb runs, by its address. */
async function loadedWith(verb: string): Promise<string[]> {
  const entry = new URL(`../../cmd/${verb}.ts`, import.meta.url);
  const { stdout, success } = await new Deno.Command(Deno.execPath(), {
    args: ["info", "--json", fileURLToPath(entry)],
    stderr: "null",
  }).output();
  assert(success);
  const modules: readonly Module[] = JSON.parse(new TextDecoder().decode(stdout)).modules;
  const known = new Map(modules.map((module) => [module.specifier, module]));
  const loaded = new Set([entry.href]);
  for (const specifier of loaded) {
    for (const { code, isDynamic } of known.get(specifier)?.dependencies ?? []) {
      if (code && !isDynamic) loaded.add(code.specifier);
    }
  }
  return [...loaded];
}

// Each costs 8 to 35 ms, of a program that is over in 60: who needs one loads it then.
for (const verb of ["put", "get", "ls", "stat", "rm", "mv", "cp", "mkdir", "ping", "quota/own"]) {
  Deno.test(`start: ${verb} loads no library but valibot, and nothing of Node's`, async () => {
    const loaded = await loadedWith(verb);
    assert(loaded.some((specifier) => specifier.endsWith("/core/client/connect.ts")));
    const others = loaded.filter((specifier) => !specifier.startsWith("file:"));
    assert.deepEqual(others.map((specifier) => specifier.replace(/@.*/, "")), ["npm:valibot"]);
  });
}
