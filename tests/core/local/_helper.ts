/** Another process on a database: `hold FILE`, `write DATA PREFIX N`, `race DATA ACCOUNT N SIZE`. */
import { DatabaseSync } from "node:sqlite";
import { Accounts } from "../../../core/local/account/accounts.ts";
import { Database } from "../../../core/local/database/database.ts";
import { Ledger } from "../../../core/local/ledger/ledger.ts";
import { Reservations } from "../../../core/local/ledger/reservation.ts";
import { BargeError } from "../../../core/error.ts";

const [verb, path, name, count, size] = Deno.args;
const print = (text: string) => Deno.stdout.writeSync(new TextEncoder().encode(`${text}\n`));

if (verb === "hold") {
  const db = new DatabaseSync(path, { timeout: 5000 });
  db.exec("BEGIN IMMEDIATE");
  print("held");
  await Deno.stdin.read(new Uint8Array(1)); // until the other side closes it
  db.close();
} else if (verb === "write") {
  using db = new Database(path, { create: true, busyTimeout: 20_000 });
  for (let i = 0; i < Number(count); i++) {
    db.run("INSERT INTO meta (key, value) VALUES (?, '')", `${name}-${i}`);
  }
  print("done");
} else {
  using db = new Database(path, { busyTimeout: 20_000 });
  const ledger = new Ledger(db);
  const reservations = new Reservations(db, ledger);
  const { id: account } = new Accounts(db).get(name);
  let won = 0;
  for (let i = 0; i < Number(count); i++) {
    const place = { dir: "homes/anna", name: `${Deno.pid}-${i}` };
    const facts = { account, modified: null, holder: "h" };
    try {
      const known = i % 2 === 0;
      const [{ id }] = reservations.begin([
        { upload: { ...place, ...facts, size: known ? Number(size) : null } },
      ]);
      if (!known) {
        try {
          reservations.grow(id, "h", Number(size));
        } catch (error) {
          reservations.drop(id, "h");
          throw error;
        }
      }
      reservations.seal(id, "h", { size: Number(size), sha256: "", verified: true });
      const file = { ...place, owner: account, sha256: "", modified: 0, ino: 0, verified: true };
      reservations.settle([[id, { ...file, size: Number(size) }]]);
      won++;
    } catch (error) {
      if (!(error instanceof BargeError && error.kind === "over-quota")) throw error;
    }
  }
  print(String(won));
}
