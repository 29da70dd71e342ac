/**
 * Making a folder: an entry of the account that makes it.
 *
 * Its row comes first, in the transaction in which the folder is made: a folder that is over the quota
 * is never seen. The transaction does not wait for a sync of the disk: a power cut may leave a folder
 * that is nobody's entry, though never one with an acknowledged file in it, whose commit syncs both.
 */
import type { Place } from "../storage/place.ts";
import type { NewFolder } from "../storage/tree.ts";
import type { Guard } from "../storage/view.ts";
import type { Commits } from "./commit.ts";
import type { Parts } from "./parts.ts";
import { LocalView } from "./view.ts";

/** @returns false: it existed */
export async function mkdir(
  parts: Parts,
  commits: Commits,
  place: Place,
  { account, parents, modified }: NewFolder,
  guard: Guard,
): Promise<boolean> {
  const { folders, vault } = parts;
  const begun: Place[] = [];
  const undo = (error: unknown): never => {
    for (const each of begun.splice(0).reverse()) vault.removeEmpty(each);
    throw error;
  };
  const make = () => {
    try {
      guard.check(new LocalView(parts));
      return vault.mkdir(place, parents, (each) => {
        folders.make(each, account);
        begun.push(each);
      });
    } catch (error) {
      return undo(error);
    }
  };
  // A failure of `make` is undone by then; a failed commit is not.
  const made = await commits.note(make).catch(undo);
  for (const { dir } of begun) vault.sync(dir);
  if (modified !== null && (made || parents)) vault.touch(place, modified);
  return made;
}
