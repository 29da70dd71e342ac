/** Making oneself an account, where the server allows it. */
import type { Account } from "../storage/account.ts";
import { defaultRegisterLimits } from "../local/account/registrations.ts";
import { formatLimit } from "../size.ts";
import { BargeError } from "../error.ts";
import type { Request } from "../protocol/message.ts";
import type { Store } from "../local/store.ts";

/**
 * @param host the client's numeric address
 * @throws {BargeError} `refused` where it is not allowed, asks for too much or comes too often; `exists`,
 *   `usage`
 */
export function register(store: Store, request: Request<"register">, host: string): Account {
  const { allowRegister, defaultLimit, maxLimit } = store.settings;
  const refuse = (why: string) => new BargeError("refused", why, { op: "register" });
  if (!allowRegister) throw refuse("this server does not let strangers register");
  const limit = request.limit ?? defaultLimit;
  if (maxLimit !== null && (limit === null || limit > maxLimit)) {
    throw refuse(`this server allows at most ${formatLimit(maxLimit)}`);
  }
  const limits = store.settings.registering ?? defaultRegisterLimits;
  const attempt = store.registrations.begin(host, limits);
  const { account: name, verifier } = request;
  return store.db.transaction(() => {
    const made = store.accounts.add({ name, role: "user", limit, verifier });
    store.registrations.made(attempt, made.id, limit, limits);
    return made;
  });
}
