import assert from "node:assert/strict";
import type { DoorSpec } from "../../../core/door/door.ts";
import { workerPermissions } from "../../../core/serve/worker_permissions.ts";

const door: DoorSpec = { name: "http", address: { host: "127.0.0.1", port: 8080 }, tls: "off" };

/** Returns the names below the data directory that a worker may read, and those that it may write. */
function pathsOf(data: string, doors: readonly DoorSpec[]) {
  const { read, write } = workerPermissions(data, doors) as Deno.PermissionOptionsObject;
  const names = (paths: unknown) => (paths as string[]).map((path) => path.replace(`${data}/`, ""));
  return { read: names(read), write: names(write) };
}

const usual = ["homes", "public", "staging", "removed", "accounts.db"];

Deno.test("a worker may use the files of accounts and the database, and what else it needs", () => {
  const data = Deno.makeTempDirSync({ prefix: "barge-permissions-" });
  try {
    assert.deepEqual(pathsOf(data, [door]), { read: usual, write: usual });
    const answering = { ...door, challenge: "http-01" } as const;
    const acme = ["acme/challenges", "acme/renewal"];
    assert.deepEqual(pathsOf(data, [door, answering]), { read: [...usual, ...acme], write: usual });
    Deno.writeTextFileSync(`${data}/admin-password`, "secret");
    const write = [...usual, "admin-password"];
    assert.deepEqual(pathsOf(data, [door]), { read: usual, write });
  } finally {
    Deno.removeSync(data, { recursive: true });
  }
});
