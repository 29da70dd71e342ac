/**
 * Another process on a data directory, for uploads_test.ts, tree_test.ts and audit_test.ts:
 *
 *   race DATA ACCOUNT FILES BYTES   stores files, and prints how many it could
 *   store DATA ACCOUNT STEP TEXT    stores a file, and kills itself at a step
 *   commit DATA ACCOUNT STEP TEXT   the same in pieces
 *   move DATA ACCOUNT STEP          moves a file, and kills itself at a step
 *   remove DATA ACCOUNT STEP        removes a file, and kills itself at a step
 *   quota DATA ACCOUNT STEP         changes the quota of anna, and kills itself at a step
 */
import { Store } from "../../../core/local/store.ts";
import { arm } from "../../../core/storage/fault.ts";
import { always, from, to } from "./_suite_tree.ts";
import { race } from "./_race.ts";
import { commit, declared, store, text } from "./_suite_uploads.ts";

const [verb, data, account, ...rest] = Deno.args;
const limits = { allowRegister: false, defaultLimit: null, maxLimit: null };
using local = new Store({ data, durability: "full", ...limits });
const { tree, uploads } = local;
const id = Number(account);
const [step, content = ""] = rest;
const bytes = text(content);
arm((point) => {
  if (point === step) Deno.kill(Deno.pid, "SIGKILL");
});

if (verb === "race") {
  const [files, bytes] = rest.map(Number);
  const won = await race(uploads, id, Deno.pid, files, bytes);
  Deno.stdout.writeSync(text(`${won}\n`));
} else if (verb === "store") {
  await store(uploads, id, bytes);
} else if (verb === "commit") {
  const open = await uploads.begin(declared(id, null), { keep: 0 });
  await open.reserve(bytes.length);
  await open.body.write(bytes.subarray(0, 3));
  await open.body.write(bytes.subarray(3));
  await commit(open);
} else if (verb === "quota") await local.people.accounts.change("anna", { limit: 5 });
else if (verb === "move") await tree.move(from, to, id, always);
else await tree.remove(from, id, always);
