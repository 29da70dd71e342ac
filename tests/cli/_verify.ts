/** Verifies a data directory in the process of the tests. */
import assert from "node:assert/strict";
import { Store } from "../../core/local/store.ts";
import { reconcile } from "../../core/repair/reconcile.ts";

/**
 * Fails unless the ledger, the files and their digests agree, as `barge verify` does, without a process of its own.
 *
 * @param unknown the folders on disk that the ledger does not know
 */
export async function verify(data: string, unknown: readonly string[] = []): Promise<void> {
  const limits = { allowRegister: false, defaultLimit: null, maxLimit: null };
  using store = new Store({ data, durability: "full", ...limits });
  const { problems } = await reconcile(store, { repair: false });
  assert.deepEqual(
    problems.map(({ kind, path }) => [kind, path]),
    unknown.map((path) => ["unknown", path]),
  );
  assert.deepEqual(store.intents.intents(), []);
}
