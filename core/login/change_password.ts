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
 * @param session has proved the old password for just this
 * @returns the new password's credential, which keeps a session alive that takes it
 * @throws {BargeError} `denied` on another login than by password; `unauthenticated` when the
 *   password was changed meanwhile
 */
export async function changePassword(session: Session, verifier: Verifier): Promise<Credential> {
  await needPasswordLogin(session);
  const credential = await session.store.people.logins.changePassword(session, verifier);
  if (credential) return credential;
  throw await session.loginEndedError();
}

/** @throws {BargeError} `denied` on another login than by password; `unauthenticated` when it ended */
export async function needPasswordLogin(session: Session): Promise<void> {
  await session.check();
  if (session.withPassword) return;
  throw new BargeError("denied", "a password is changed after a login with the old one");
}

/** Checks a new password that the client sent in clear. @throws {BargeError} `usage` if it is too short */
export function checkPasswordLength({ settings }: Service, password: string): void {
  checkNewPassword(password, settings.minPassword ?? defaultMinPasswordLength);
}
