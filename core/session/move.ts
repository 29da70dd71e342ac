/** Renaming a file or a folder: one step for every reader, and for a crash. */
import { BargeError, typed } from "../error.ts";
import type { Overwrite } from "../protocol/message.ts";
import { relative } from "../vault/place.ts";
import { changeable, checkTake, checkWrite } from "./access.ts";
import type { Session } from "./session.ts";

/** @throws {BargeError} `not-found`, `no-directory`, `exists`, `denied` */
export async function move(
  session: Session,
  from: string,
  to: string,
  overwrite: Overwrite,
): Promise<void> {
  const { store } = session;
  const account = session.account();
  const source = session.locate(from);
  const target = session.locate(to);
  await checkTake(session, account, source);
  const a = changeable(source);
  const b = changeable(target);
  if (relative(a) === relative(b)) return;
  if (`${relative(b)}/`.startsWith(`${relative(a)}/`)) {
    throw new BargeError("usage", "a folder can't be moved into itself", { path: from });
  }
  const check = () => {
    if (!store.vault.find(a)) throw new BargeError("not-found", "there is no such file or folder");
    checkWrite(session, session.account(), target, overwrite);
  };
  check();
  const intent = await store.commits.enter(() => store.intents.intend("move", a, b));
  try {
    await store.commits.change([a.dir, b.dir], () => {
      check();
      store.vault.rename(a, b);
      store.ledger.rename(a, b);
      store.intents.done(intent);
    });
  } catch (error) {
    // If the rename itself happened, the intent stays for the next start to settle.
    if (store.vault.find(a)) store.intents.done(intent);
    throw typed(error);
  }
}
