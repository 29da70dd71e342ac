import type { Account } from "../storage/account.ts";
import { defaultRegisterLimits } from "../storage/accounts.ts";
import { formatLimit } from "../size.ts";
import { BargeError } from "../error.ts";
import type { Request } from "../protocol/message.ts";
import type { DoorName } from "../watch/metrics.ts";
import type { Service } from "./service.ts";

/**
 * Makes an account for a client that has none, where the server allows it.
 *
 * @param host the client's numeric address
 * @param door the door, for the audit trail
 * @throws {BargeError} `refused` where it is not allowed, for too large a quota, or for too many
 *   registrations; `exists`, `usage`
 */
export async function register(
  { people, settings }: Service,
  request: Request<"register">,
  host: string,
  door: DoorName | null = null,
): Promise<Account> {
  const { allowRegister, defaultLimit, maxLimit } = settings;
  const refuse = (why: string) => new BargeError("refused", why, { op: "register" });
  if (!allowRegister) throw refuse("this server does not allow clients to register accounts");
  const { account: name, verifier, limit = defaultLimit } = request;
  if (maxLimit !== null && (limit === null || limit > maxLimit)) {
    throw refuse(`accounts may be registered with a quota of at most ${formatLimit(maxLimit)}`);
  }
  const limits = settings.registering ?? defaultRegisterLimits;
  const by = { account: name, address: host, door };
  return await people.accounts.register(
    { name, role: "user", limit, verifier },
    host,
    limits,
    by,
  );
}
