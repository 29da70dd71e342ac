/** How much room an account has: the same numbers at every door. */
import type { Account } from "../storage/account.ts";
import { defaultRegisterLimits } from "../local/account/registrations.ts";
import { formatLimit } from "../size.ts";
import { BargeError } from "../error.ts";
import type { Usage } from "../protocol/message.ts";
import type { Session } from "../login/session.ts";

export function quota(session: Session): Usage {
  return usage(session.account());
}

/** An account's numbers; `left` is never negative, also where the quota was lowered below `used`. */
export function usage({ name, used, reserved, limit, entries, entryLimit }: Account): Usage {
  const left = limit === null ? null : Math.max(0, limit - used - reserved);
  return { account: name, used, reserved, limit, left, entries, entryLimit };
}

/**
 * Raises one's own quota.
 *
 * @param limit bytes, up to the server's `--max-quota`
 * @throws {BargeError} `refused` above that; `usage` for less than one has
 */
export function grow(session: Session, limit: number): Usage {
  const { accounts, db, registrations, settings } = session.store;
  return db.transaction(() => {
    const account = session.account();
    if (account.limit === null) throw new BargeError("usage", "this account has no limit to raise");
    if (limit < account.limit) {
      throw new BargeError(
        "usage",
        `${formatLimit(limit)} is less than the ${formatLimit(account.limit)} it has`,
      );
    }
    if (settings.maxLimit !== null && limit > settings.maxLimit) {
      throw new BargeError(
        "refused",
        `this server allows at most ${formatLimit(settings.maxLimit)}`,
        {
          hint: "ask its operator: `barge quota set`",
        },
      );
    }
    const { total } = settings.registering ?? defaultRegisterLimits;
    registrations.grown(account.id, limit, total);
    return usage(accounts.change(account.name, { limit }));
  });
}
