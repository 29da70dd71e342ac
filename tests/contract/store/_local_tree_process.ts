/** Another process on a data directory, for tree_test.ts: `CHANGE DATA ACCOUNT STEP`. */
import { Store } from "../../../core/local/store.ts";
import { arm } from "../../../core/local/vault/fault.ts";
import { always, from, to } from "./_suite_tree.ts";

const [change, data, account, step] = Deno.args;
using store = new Store({
  data,
  durability: "full",
  allowRegister: false,
  defaultLimit: null,
  maxLimit: null,
});
arm((point) => {
  if (point === step) Deno.kill(Deno.pid, "SIGKILL");
});
if (change === "move") await store.tree.move(from, to, Number(account), always);
else await store.tree.remove(from, Number(account), always);
