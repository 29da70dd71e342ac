/** Whether what somebody logged in with is still good, without computing it again. */
import type { Session } from "./session.ts";

/**
 * What the database keeps of a secret now: it changes with the password, and goes with the token.
 *
 * @param session what the secret was accepted for
 * @returns undefined when the secret is good for nothing any more
 */
export function proofOf(session: Session, secret: string): string | undefined {
  const { accounts, tokens } = session.store;
  const known = accounts.forLogin(session.name);
  if (!known || known.account.id !== session.id || known.account.disabled) return undefined;
  if (session.withPassword) return known.verifier.storedKey;
  const id = /^barge_([^_\s]+)_/.exec(secret)?.[1];
  return id && tokens.find(id)?.verifier.storedKey;
}
