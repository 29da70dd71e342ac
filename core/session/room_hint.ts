/** The hint of a refusal for lack of room, by what the account may do about it. */
import type { Session } from "../login/session.ts";
import { isRestricted } from "../login/scope.ts";
import type { BargeError } from "../error.ts";
import { roomHint } from "../storage/over_quota.ts";

/** Returns the failures of requests; only the operator is named where the account can't raise its quota itself. */
export async function adviseOnRoom(
  session: Session | undefined,
  ...errors: readonly BargeError[]
): Promise<readonly BargeError[]> {
  const needsRoom = ({ kind, hint }: BargeError) => kind === "over-quota" && hint === roomHint;
  if (!session || !errors.some(needsRoom) || await mayGrow(session)) return errors;
  const hint = "remove something, or ask the operator for more room";
  return errors.map((error) => needsRoom(error) ? error.replacing({ hint }) : error);
}

/** Returns whether the server's limit for own raises is above the account's quota. */
async function mayGrow(session: Session): Promise<boolean> {
  const { maxLimit } = session.store.settings;
  if (isRestricted(session.scope)) return false;
  if (maxLimit === null) return true;
  try {
    const { limit } = await session.account();
    return limit !== null && limit < maxLimit;
  } catch {
    return false; // the login has ended, and the next request reports that
  }
}
