import { BargeError } from "../error.ts";
import type { Verifier } from "../protocol/message.ts";
import { checkNewPassword, defaultMinPasswordLength } from "../protocol/password.ts";
import type { Service } from "./service.ts";
import type { Credential } from "../storage/account.ts";
import type { Session } from "./session.ts";

/**
 * Changes the password, and ends all logins that began with the old one, all tokens and all logins
 * at the web page. SSH keys stay.
 *
 * @param session a login with the old password that the client made for this change
 * @returns the credential of the new password; a session that gets it does not end
 * @throws {BargeError} `denied` if the client did not log in with the password; `unauthenticated` when
 *   the password was changed meanwhile
 */
export async function changePassword(session: Session, verifier: Verifier): Promise<Credential> {
  await needPasswordLogin(session);
  const credential = await session.store.people.logins.changePassword(
    session,
    verifier,
    session.actor,
  );
  if (credential) return credential;
  throw await session.loginEndedError();
}

/**
 * Checks that the client logged in with the password.
 *
 * @throws {BargeError} `denied` if it did not; `unauthenticated` when the login has ended
 */
export async function needPasswordLogin(session: Session): Promise<void> {
  await session.check();
  if (session.withPassword) return;
  throw new BargeError("denied", "a password is changed after a login with the old one");
}

/** Checks a new password that the client sent in clear. @throws {BargeError} `usage` if it is too short */
export function checkPasswordLength({ settings }: Service, password: string): void {
  checkNewPassword(password, settings.minPassword ?? defaultMinPasswordLength);
}
