/** Data directories without a server. */
import { Accounts } from "../../core/local/account/accounts.ts";
import { Database } from "../../core/local/database/database.ts";
import { verifierOf } from "../_passwords.ts";

/** Makes a data directory with the account anna, as `barge user add` does, which takes a scrypt. */
export async function makeData(data: string): Promise<void> {
  const verifier = await verifierOf("anna-secret");
  Deno.mkdirSync(data, { mode: 0o700, recursive: true });
  using db = new Database(data, { create: true });
  new Accounts(db).add({ name: "anna", role: "user", limit: null, verifier });
}
