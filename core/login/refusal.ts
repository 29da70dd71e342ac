/**
 * Refusals of a right secret. The client has proved that it is the owner, so it gets the reason and what to
 * do. Every other failed login gets one answer: see `wrongLogin` in second_factor.ts.
 */
import { BargeError } from "../error.ts";
import type { Account } from "../storage/account.ts";
import { isFrom, type RefusalReason } from "./scope.ts";

/** A login that is refused although its secret is right. */
export class RightSecretRefused extends BargeError {}

/** The refusal of a login that the limits of its account or token exclude. */
export class LoginLimited extends RightSecretRefused {
  /** The owner of the limit. */
  readonly limitOf: "account" | "token";

  constructor(limitOf: LoginLimited["limitOf"], { why, hint }: RefusalReason) {
    super("unauthenticated", why, { op: "log in", hint });
    this.limitOf = limitOf;
  }
}

/**
 * Returns why an account that is not disabled refuses a login; undefined if it does not.
 *
 * @param host the client's numeric address; undefined: any address is right
 *
 * @example
 * ```ts
 * import { accountRefusal } from "./refusal.ts";
 * const guest = { name: "guest", expired: false, from: ["192.0.2.0/24"] };
 * if (accountRefusal(guest, "192.0.2.1")) throw new Error();
 * if (!accountRefusal(guest, "198.51.100.1")!.hint.includes("barge user set guest --from")) throw new Error();
 * ```
 */
export function accountRefusal(
  { name, expired, from }: Pick<Account, "name" | "expired" | "from">,
  host: string | undefined,
): RefusalReason | undefined {
  if (expired) {
    const hint = `the operator sets another end with \`barge user set ${name} --expires\``;
    return { why: "the account has expired", hint };
  }
  if (host === undefined || isFrom(from, host)) return undefined;
  return {
    why: "the account may not be used from this address",
    hint:
      `this address is ${host}; the operator allows others with \`barge user set ${name} --from\``,
  };
}
