import type { Account } from "../storage/account.ts";
import type { ServiceSettings } from "../watch/settings.ts";

/** Returns whether an account must enable a second factor before it can do anything else. */
export function mustEnableTotp(
  { role, totp }: Pick<Account, "role" | "totp">,
  { requireTotp = [] }: Pick<ServiceSettings, "requireTotp">,
): boolean {
  return !totp && requireTotp.includes(role);
}

/** Returns the hint for an account that must enable a second factor. The server does not know by which name it is reached. */
export function enableTotpHint({ name }: Pick<Account, "name">): string {
  return `use \`barge totp enable --server barge://${name}@HOST\`, or log in at the web page`;
}
