/** Changing one's own password. */
import { BargeError } from "../error.ts";
import type { Credential } from "../storage/account.ts";
import type { Verifier } from "../protocol/message.ts";
import { checkNewPassword, defaultMinPassword } from "../protocol/password.ts";
import type { Session } from "./session.ts";
import type { Store } from "../local/store.ts";

/**
 * Changes the password, and ends all logins that began with the old one, all tokens and all logins
 * at the web page. SSH keys stay.
 *
 * @param session has proved the old password for just this
 * @returns the new password's credential: with {@link Session.renew}, a session can go on
 * @throws {BargeError} `denied` on another login than by password; `unauthenticated` when the
 *   password was changed meanwhile
 */
export function passwd(session: Session, verifier: Verifier): Credential {
  needPasswordLogin(session);
  const { accounts, db } = session.store;
  return db.transaction(() => {
    const { id, name } = session.account();
    accounts.change(name, { verifier });
    return { kind: "password", epoch: accounts.epoch(id)! };
  });
}

/** @throws {BargeError} `denied` on another login than by password; `unauthenticated` when it ended */
export function needPasswordLogin(session: Session): void {
  session.check();
  if (session.withPassword) return;
  throw new BargeError("denied", "a password is changed after a login with the old one");
}

/** Checks a new password that is known here in clear. @throws {BargeError} `usage` if it is too short */
export function needLength({ settings }: Store, password: string): void {
  checkNewPassword(password, settings.minPassword ?? defaultMinPassword);
}
