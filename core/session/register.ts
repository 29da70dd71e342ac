/** Making oneself an account, where the server allows it. */
import type { Account } from "../account/accounts.ts";
import { formatLimit } from "../account/size.ts";
import { BargeError } from "../error.ts";
import type { Request } from "../protocol/message.ts";
import type { Store } from "./store.ts";

/** @throws {BargeError} `refused` where it is not allowed, or asks for too much; `exists`, `usage` */
export function register(store: Store, request: Request<"register">): Account {
  const { allowRegister, defaultLimit, maxLimit } = store.settings;
  const refuse = (why: string) => new BargeError("refused", why, { op: "register" });
  if (!allowRegister) throw refuse("this server does not let strangers register");
  const limit = request.limit ?? defaultLimit;
  if (maxLimit !== null && (limit === null || limit > maxLimit)) {
    throw refuse(`this server allows at most ${formatLimit(maxLimit)}`);
  }
  return store.accounts.add({
    name: request.account,
    role: "user",
    limit,
    verifier: request.verifier,
  });
}
