import type { Account } from "../storage/account.ts";
import type { ServiceSettings } from "../watch/settings.ts";

/** Returns whether an account must enable a second factor before it can do anything else. */
export function mustEnableTotp(
  { role, totp }: Pick<Account, "role" | "totp">,
  { requireTotp = [] }: Pick<ServiceSettings, "requireTotp">,
): boolean {
  return !totp && requireTotp.includes(role);
}
