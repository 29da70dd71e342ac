/** Changing one's own password. */
import { BargeError } from "../error.ts";
import type { Verifier } from "../protocol/message.ts";
import type { Session } from "./session.ts";

/** Ends all tokens, too. @throws {BargeError} `denied` on a login by token */
export function passwd(session: Session, verifier: Verifier): void {
  if (!session.withPassword) {
    throw new BargeError("denied", "a password is changed after a login with the old one");
  }
  session.store.accounts.change(session.account().name, { verifier });
}
