/**
 * Another node, for the tests of shared storage: `VERB NAME STEP ACCOUNT ...`. It kills itself when it
 * reaches a step: `written/2` is the second time that it reaches `written`.
 *
 *   race NAME STEP ACCOUNT FILES BYTES   stores files, and prints the number that fitted
 *   store NAME STEP ACCOUNT TEXT         stores a file
 *   commit NAME STEP ACCOUNT TEXT        stores a file in pieces
 *   move, remove NAME STEP ACCOUNT       changes `from`
 *   collect NAME STEP ACCOUNT            collects garbage
 *   quota NAME STEP ACCOUNT              changes the quota of anna
 */
import { collectGarbage } from "../../../core/shared/upload/garbage.ts";
import { arm } from "../../../core/storage/fault.ts";
import { race } from "./_race.ts";
import { openNode } from "./_shared.ts";
import { always, from, to } from "./_suite_tree.ts";
import { commit, declared, store, text } from "./_suite_uploads.ts";

const [verb, name, step, account, ...rest] = Deno.args;
await using node = openNode(name);
const { tree, uploads } = node;
const id = Number(account);

const [point, time = 1] = step.split("/");
let times = 0;
arm((at) => {
  if (at === point && ++times === Number(time)) Deno.kill(Deno.pid, "SIGKILL");
});

switch (verb) {
  case "race": {
    const [files, bytes] = rest.map(Number);
    const won = await race(uploads, id, Deno.pid, files, bytes);
    Deno.stdout.writeSync(text(`${won}\n`));
    break;
  }
  case "store":
    await store(uploads, id, text(rest[0]));
    break;
  case "commit": {
    const bytes = text(rest[0]);
    const open = await uploads.begin(declared(id, null), { keep: 0 });
    await open.reserve(bytes.length);
    await open.body.write(bytes.subarray(0, 3));
    await open.body.write(bytes.subarray(3));
    await commit(open);
    break;
  }
  case "move":
    await tree.move(from, to, id, always);
    break;
  case "remove":
    await tree.remove(from, id, always);
    break;
  case "quota":
    await node.people.accounts.change("anna", { limit: 5 });
    break;
  case "collect":
    await collectGarbage(node.parts);
}
