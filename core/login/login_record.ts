/** The records of logins in the audit trail. */
import { type Attempt, failedAccount } from "../storage/logins.ts";
import type { Service } from "./service.ts";
import type { Session } from "./session.ts";

/** Records a login. @throws {BargeError} as `AuditStore.note` */
export async function recordLogin(
  { people: { audit } }: Service,
  { mechanism }: Attempt,
  { actor, credential }: Session,
): Promise<void> {
  const details: Record<string, string> = { with: mechanism };
  if (credential.kind === "token") details.token = credential.id;
  if (credential.kind === "key") details.key = credential.fingerprint;
  await audit.note({ event: "login", account: actor.account, by: actor, details });
}

/**
 * Records a failed login. A name that no account has becomes its mark, as in the list of bans, since users
 * sometimes type a password there. The work is the same for known and unknown names.
 *
 * @param why the reason, where the client has proved its secret
 * @throws {BargeError} as `AuditStore.note`
 */
export async function recordFailure(
  { people: { audit, logins } }: Service,
  attempt: Attempt,
  why?: string,
): Promise<void> {
  const { name, mechanism, host, door = null } = attempt;
  const by = { account: null, address: host, door };
  // A question proves nothing: an unknown public key, or a challenge without a proof.
  const secret = mechanism === "question" ? "nothing" : mechanism;
  const details = { with: secret, ...(why !== undefined && { why }) };
  const mark = await logins.markOf(name);
  await audit.note({ event: "login-failed", account: failedAccount(attempt, mark), by, details });
}
