/** The room that a server takes for the database's log, so that a full disk can be emptied. */
import assert from "node:assert/strict";
import { makeLogRoom } from "../../../../core/local/database/log_room.ts";
import { Setup } from "../../_setup.ts";

Deno.test("the log is made 8 MiB long once, and the database stays as it was", () => {
  using setup = new Setup();
  setup.user("anna");
  const length = () => Deno.statSync(`${setup.data}/accounts.db-wal`).size;
  makeLogRoom(setup.data);
  const made = length();
  assert.ok(made >= 8 * 2 ** 20 && made < 9 * 2 ** 20, `${made} bytes`);
  makeLogRoom(setup.data);
  setup.user("bob");
  assert.equal(length(), made);
  const tables = setup.store.db.all("SELECT name FROM sqlite_schema WHERE name = 'room'");
  assert.deepEqual(tables, []);
  assert.deepEqual(setup.store.accounts.list().map(({ name }) => name), ["anna", "bob"]);
});
