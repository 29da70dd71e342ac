import { deepStrictEqual } from "node:assert/strict";
import { HEAP, PERMISSIONS, UNSTABLE } from "../../scripts/permissions.ts";
import config from "../../deno.json" with { type: "json" };

Deno.test("permissions: the task serve and the executable grant the same", () => {
  const flags = config.tasks.serve.split(" ").filter((word) => word.startsWith("--allow-"));
  deepStrictEqual(flags, PERMISSIONS);
});

Deno.test("permissions: deno.json and the executable switch on the same features", () => {
  deepStrictEqual(config.unstable.map((name) => `--unstable-${name}`), UNSTABLE);
});

Deno.test("permissions: the task serve and the executable bound the heap alike", () => {
  const flags = config.tasks.serve.split(" ").filter((word) => word.startsWith("--v8-flags"));
  deepStrictEqual(flags, HEAP);
});
