/** Data directories without a server. */
import { Accounts } from "../../core/local/account/accounts.ts";
import { Database } from "../../core/local/database/database.ts";
import { Store } from "../../core/local/store.ts";
import { reconcile } from "../../core/repair/reconcile.ts";
import { verifierOf } from "../_passwords.ts";

/** Makes a data directory with the account anna, as `barge user add` does, which takes a scrypt. */
export async function makeData(data: string): Promise<void> {
  const verifier = await verifierOf("anna-secret");
  Deno.mkdirSync(data, { mode: 0o700, recursive: true });
  using db = new Database(data, { create: true });
  new Accounts(db).add({ name: "anna", role: "user", limit: null, verifier });
}

/** Makes the same with files in the home of anna, which the ledger knows. @param files by their names */
export async function makeFiles(
  data: string,
  files: Readonly<Record<string, Uint8Array<ArrayBuffer>>>,
): Promise<void> {
  await makeData(data);
  for (const folder of ["homes", "homes/anna", "public", "staging"]) {
    Deno.mkdirSync(`${data}/${folder}`);
  }
  for (const [name, bytes] of Object.entries(files)) {
    Deno.writeFileSync(`${data}/homes/anna/${name}`, bytes);
  }
  const limits = { allowRegister: false, defaultLimit: null, maxLimit: null };
  using store = new Store({ data, durability: "full", ...limits });
  await reconcile(store, { repair: true });
}
