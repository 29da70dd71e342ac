/** Checks whether the secret of a login is still valid, without computing it again. */
import type { Session } from "./session.ts";

/**
 * Returns the stored verifier of a secret. It changes with the password, and is removed with the
 * token.
 *
 * @param session the session that the secret has opened
 * @returns undefined when the secret is no longer valid
 */
export function proofOf(session: Session, secret: string): string | undefined {
  const { accounts, tokens } = session.store;
  const known = accounts.forLogin(session.name);
  if (!known || known.account.id !== session.id || known.account.disabled) return undefined;
  if (session.withPassword) return known.verifier.storedKey;
  const id = /^barge_([^_\s]+)_/.exec(secret)?.[1];
  return id && tokens.find(id)?.verifier.storedKey;
}
