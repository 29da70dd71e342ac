/**
 * Who may change what. Everyone does as they like in their own home, and may read and add to
 * /public; what is there already may be replaced, moved or removed by the account that it is charged
 * to, and by admins.
 */
import type { Account } from "../account/accounts.ts";
import { BargeError } from "../error.ts";
import type { Overwrite } from "../protocol/message.ts";
import type { Location } from "../vault/path.ts";
import { type Place, relative } from "../vault/place.ts";
import type { Session } from "./session.ts";

/** The place of a path that can be written, moved or removed: not `/`, `/home` or `/public`. */
export function changeable(location: Location): Place {
  if (!location.place || location.fixed) {
    throw new BargeError("exists", "it is a folder that every account has", {
      path: location.path,
    });
  }
  return location.place;
}

/**
 * May a file be written there?
 *
 * @returns whether it replaces one
 * @throws {BargeError} `no-directory`, `exists` (a folder, or not to be overwritten, or changed
 *   since), `denied`
 */
export function checkWrite(
  session: Session,
  account: Account,
  location: Location,
  overwrite: Overwrite,
): boolean {
  const place = changeable(location);
  const { vault, ledger } = session.store;
  vault.needFolder(place.dir);
  const there = vault.find(place);
  if (!there) {
    if (typeof overwrite !== "object") return false;
    throw new BargeError("exists", "the file that was to be replaced is gone");
  }
  if (there.type === "dir") {
    throw new BargeError("exists", "it is a folder", {
      hint: `write ${location.path}/ to put it inside`,
    });
  }
  if (there.type === "other") throw new BargeError("denied", "what is there is not a regular file");
  if (overwrite === "never") throw new BargeError("exists", "it exists already");
  const row = ledger.file(place);
  if (typeof overwrite === "object" && row?.sha256 !== overwrite.sha256) {
    throw new BargeError("exists", "the file has changed since");
  }
  if (location.space === "public" && account.role !== "admin" && row?.owner !== account.id) {
    throw new BargeError("denied", `it belongs to ${row?.ownerName ?? "the operator"}`);
  }
  return true;
}

/**
 * May a file or folder be moved away or removed, with all that is in it?
 *
 * @throws {BargeError} `not-found`, `denied`
 */
export async function checkTake(
  session: Session,
  account: Account,
  location: Location,
): Promise<void> {
  const place = changeable(location);
  const { vault, ledger } = session.store;
  const there = vault.find(place);
  if (!there) throw new BargeError("not-found", "there is no such file or folder");
  if (location.space !== "public" || account.role === "admin") return;
  if (there.type === "file") {
    const row = ledger.file(place);
    if (row?.owner !== account.id) {
      throw new BargeError("denied", `it belongs to ${row?.ownerName ?? "the operator"}`);
    }
  } else if (there.type === "dir") {
    await checkTree(session, account, place);
  } else {
    throw new BargeError("denied", "it is not a regular file");
  }
}

async function checkTree(session: Session, account: Account, place: Place): Promise<void> {
  const dir = relative(place);
  const rows = session.store.ledger.folder(dir);
  for (const { name, type } of await session.store.vault.names(place)) {
    if (type === "dir") await checkTree(session, account, { dir, name });
    else if (rows.get(name)?.owner !== account.id) {
      const owner = rows.get(name)?.ownerName ?? "the operator";
      throw new BargeError("denied", `${name} in it belongs to ${owner}`);
    }
  }
}
