/**
 * Makes a folder, which counts as an entry of the account that makes it.
 *
 * The row is written before the folder is made, in one transaction: a folder that is over the entry
 * limit is never seen. After a crash before the transaction is durable, the folder counts as nobody's entry
 * until `barge verify --repair` runs. The commit of a file also makes the rows of its folders durable.
 */
import { logAudit } from "../storage/audit/log.ts";
import { mkdirEvent } from "../storage/event_facts.ts";
import type { Place } from "../storage/place.ts";
import type { NewFolder } from "../storage/tree.ts";
import type { Guard } from "../storage/view.ts";
import type { PartsWithCommits } from "./commit.ts";
import { reached } from "../storage/fault.ts";
import { viewOf } from "./view.ts";

/** Makes a folder: see `Tree.mkdir`. @returns false if the folder existed */
export async function mkdir(
  parts: PartsWithCommits,
  place: Place,
  { account, parents, modified }: NewFolder,
  guard: Guard,
): Promise<boolean> {
  const { accounts, audit, commits, folders, outbox, vault } = parts;
  const { door = null } = guard;
  const begun: Place[] = [];
  const undo = (error: unknown): never => {
    for (const each of begun.splice(0).reverse()) vault.removeEmpty(each);
    throw error;
  };
  const make = () => {
    try {
      guard.check(viewOf(parts));
      const made = vault.mkdir(place, parents, (each) => {
        folders.make(each, account);
        begun.push(each);
      });
      if (made && guard.record) audit.add(guard.record);
      if (made) reached("made");
      if (begun.length > 0) {
        outbox.add(() => {
          const name = accounts.byId(account)?.name ?? null;
          return begun.map((place) => mkdirEvent({ place, account: name, door }));
        });
      }
      return made;
    } catch (error) {
      return undo(error);
    }
  };
  // `make` undoes its own failure. The second `undo` is for a commit that fails.
  const made = await commits.note(make).catch(undo);
  if (made && guard.record) logAudit(guard.record);
  for (const { dir } of begun) vault.sync(dir);
  if (modified !== null && (made || parents)) vault.touch(place, modified);
  return made;
}
