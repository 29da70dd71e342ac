/** Reads and raises the quota of an account, for all doors. */
import type { Account } from "../storage/account.ts";
import { defaultRegisterLimits } from "../storage/accounts.ts";
import { formatLimit } from "../size.ts";
import { BargeError } from "../error.ts";
import type { Usage } from "../protocol/message.ts";
import type { Session } from "../login/session.ts";

export async function quota(session: Session): Promise<Usage> {
  return usage(await session.account());
}

/** Returns the usage of an account; `left` is 0 if the quota was lowered below `used`. */
export function usage({ name, used, reserved, limit, entries, entryLimit }: Account): Usage {
  const left = limit === null ? null : Math.max(0, limit - used - reserved);
  return { account: name, used, reserved, limit, left, entries, entryLimit };
}

/**
 * Raises the quota of the session's account.
 *
 * @param limit bytes, up to the server's `--max-quota`
 * @throws {BargeError} `refused` for more than `--max-quota`; `usage` for less than the present quota
 */
export async function grow(session: Session, limit: number): Promise<Usage> {
  session.refuseRestricted();
  const { people, settings } = session.store;
  const { maxLimit, registering } = settings;
  const check = (account: Account) => {
    if (account.limit === null) throw new BargeError("usage", "this account has no limit to raise");
    if (limit < account.limit) {
      const [wanted, current] = [limit, account.limit].map(formatLimit);
      throw new BargeError(
        "usage",
        `the account has a larger quota already: ${current}, not ${wanted}`,
      );
    }
    if (maxLimit !== null && limit > maxLimit) {
      throw new BargeError(
        "refused",
        `an account can raise its own quota to at most ${formatLimit(maxLimit)}`,
        {
          hint: "ask its operator: `barge quota set`",
        },
      );
    }
  };
  await session.account(); // throws for a confined session
  const { total } = registering ?? defaultRegisterLimits;
  const grown = await people.accounts.grow(session, limit, check, total, session.actor);
  if (grown) return usage(grown);
  throw await session.loginEndedError();
}
