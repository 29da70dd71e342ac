/**
 * Another process on a data directory, for uploads_test.ts:
 *
 *   race DATA ACCOUNT FILES BYTES   stores files, and prints how many it could
 *   store DATA ACCOUNT STEP TEXT    stores a file, and kills itself at a step
 *   commit DATA ACCOUNT STEP TEXT   the same in pieces
 */
import { Store } from "../../../core/local/store.ts";
import { arm } from "../../../core/local/vault/fault.ts";
import { race } from "./_race.ts";
import { commit, declared, store, text } from "./_suite_uploads.ts";

const [verb, data, account, ...rest] = Deno.args;
using local = new Store({
  data,
  durability: "full",
  allowRegister: false,
  defaultLimit: null,
  maxLimit: null,
});
const { uploads } = local;
const id = Number(account);

if (verb === "race") {
  const [files, bytes] = rest.map(Number);
  const won = await race(uploads, id, Deno.pid, files, bytes);
  Deno.stdout.writeSync(text(`${won}\n`));
} else {
  const [step, content] = rest;
  arm((point) => {
    if (point === step) Deno.kill(Deno.pid, "SIGKILL");
  });
  const bytes = text(content);
  if (verb === "store") await store(uploads, id, bytes);
  else {
    const open = await uploads.begin(declared(id, null), { keep: 0 });
    await open.reserve(bytes.length);
    await open.body.write(bytes.subarray(0, 3));
    await open.body.write(bytes.subarray(3));
    await commit(open);
  }
}
