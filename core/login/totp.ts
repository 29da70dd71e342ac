/**
 * Enables and disables the second factor of an account. Each change follows a fresh proof of the password.
 *
 * The library of the codes is loaded at the first change: most workers need it never.
 */
import { BargeError } from "../error.ts";
import type { Credential } from "../storage/account.ts";
import { mustEnableTotp } from "./required_totp.ts";
import { hasFactor } from "./second_factor.ts";
import type { Session } from "./session.ts";

/** The second factor of an account, as its owner sees it. */
export interface TotpStatus {
  readonly enabled: boolean;
  /** Whether the server requires one of accounts with this role. */
  readonly required: boolean;
  /** The number of unused recovery codes. */
  readonly recoveryCodes: number;
}

/** Returns the state of the second factor. @throws {BargeError} `denied` to a restricted token */
export async function totpStatus(session: Session): Promise<TotpStatus> {
  session.refuseRestricted();
  const { id, totp, role } = await session.account();
  const { settings, people: { factors } } = session.store;
  const required = mustEnableTotp({ role, totp: false }, settings);
  return { enabled: totp, required, recoveryCodes: totp ? await factors.recoveryCodes(id) : 0 };
}

/**
 * Enables a second factor. All logins that rest on the password alone end, also those at the web page; tokens
 * and SSH keys stay.
 *
 * @param session a login with the password, made for this change with `enables` of `SecondStep`
 * @param factor.secret in base32
 * @param factor.code a code of that secret, now
 * @returns the recovery codes, which are not stored, and the credential of the password from now on
 * @throws {BargeError} `usage` for a secret that is too short, and for a wrong code; `exists`; `denied`;
 *   `unauthenticated` when the login has ended
 */
export async function enableTotp(
  session: Session,
  { secret, code }: { readonly secret: string; readonly code: string },
): Promise<{ readonly codes: readonly string[]; readonly credential: Credential }> {
  needPassword(session);
  const { isSecret } = await import("../protocol/totp.ts");
  const op = "enable the second factor";
  if (!isSecret(secret)) {
    const hint = "16 to 64 random bytes in base32, without padding";
    throw new BargeError("usage", "that is no secret of a second factor", { op, hint });
  }
  const { codes, digests: recovery } = await recoveryCodes();
  const { factors } = session.store.people;
  const enabled = await factors.enable(session, { secret, code, recovery }, session.actor);
  if (typeof enabled === "object") return { codes, credential: enabled };
  if (enabled === "ended") throw await session.loginEndedError();
  if (enabled === "exists") throw hasFactor();
  throw new BargeError("usage", "the code is not one of this secret now", {
    op,
    hint: "compare the clock of the device that shows the codes with the server's, and try again",
  });
}

/**
 * Disables the second factor, and drops its recovery codes.
 *
 * @param session a login with the password and a code, made for this change
 * @throws {BargeError} `denied`; `unauthenticated` when the login has ended
 */
export async function disableTotp(session: Session): Promise<void> {
  needPassword(session);
  if (await session.store.people.factors.disable(session, session.actor)) return;
  throw await session.loginEndedError();
}

/**
 * Replaces the recovery codes.
 *
 * @param session as of {@link disableTotp}
 * @returns the new codes, which are not stored
 * @throws {BargeError} `not-found` without a second factor; as {@link disableTotp}
 */
export async function renewRecoveryCodes(session: Session): Promise<readonly string[]> {
  needPassword(session);
  const { codes, digests } = await recoveryCodes();
  const { factors } = session.store.people;
  if (await factors.setRecoveryCodes(session, digests, session.actor)) return codes;
  if (!await session.holds()) throw await session.loginEndedError();
  throw new BargeError("not-found", "the account has no second factor");
}

/** Makes recovery codes. @returns the codes, and the digests that are stored */
async function recoveryCodes() {
  const { newRecoveryCodes } = await import("../protocol/totp.ts");
  const { recoveryDigest } = await import("../storage/second_factor.ts");
  const codes = newRecoveryCodes();
  return { codes, digests: codes.map(recoveryDigest) };
}

function needPassword({ withPassword }: Session): void {
  if (withPassword) return;
  throw new BargeError(
    "denied",
    "the second factor is changed with the password, not with a token",
  );
}
