/** The refusal of a change for which an account has too few bytes or entries left. */
import { counted, inNumber } from "../counted.ts";
import { BargeError } from "../error.ts";

/** The hint of a refusal for lack of bytes. */
export const roomHint = "remove something, or ask for more room";

/** The sums of an account, and their limits; null for none. */
export interface AccountSums {
  /** The account's name. */
  readonly name: string;
  readonly used: number;
  readonly reserved: number;
  readonly quota: number | null;
  readonly entries: number;
  readonly entryLimit: number | null;
}

/** The bytes and entries that a change needs. */
export interface Need {
  /** All bytes, without those of the file that an upload replaces. Default: 0. */
  readonly bytes?: number;
  /** The further entries. Default: 0. */
  readonly entries?: number;
  /** The part of `bytes` that is already reserved for the upload. Default: 0. */
  readonly reserved?: number;
  /** The bytes of the replaced file, for an upload of unknown size that grows. */
  readonly credit?: number;
}

/**
 * Returns the refusal of a change, by the sums before it; undefined where it fits. A need of no further bytes or
 * entries fits also where a limit was lowered below the sum.
 *
 * @example
 * ```ts
 * import { overQuota } from "./over_quota.ts";
 * const anna = { name: "anna", used: 60, reserved: 20, quota: 100, entries: 3, entryLimit: 3 };
 * if (overQuota(anna, { bytes: 20 }) !== undefined) throw new Error();
 * const { message } = overQuota(anna, { bytes: 21 })!;
 * if (message !== "needs 21 bytes, 20 are left; 20 are held by other uploads") throw new Error();
 * ```
 */
export function overQuota(
  { name, used, reserved, quota, entries, entryLimit }: AccountSums,
  { bytes = 0, entries: more = 0, reserved: own = 0, credit }: Need,
): BargeError | undefined {
  const refusal = (why: string, hint: string) =>
    new BargeError("over-quota", why, { account: name, hint });
  const others = Math.max(0, reserved - own);
  if (quota !== null && bytes > own && bytes > quota - used - others) {
    const left = Math.max(0, quota - used - others);
    const held = others > 0 ? `; ${counted(others, "is", "are")} held by other uploads` : "";
    const why = credit === undefined
      ? `needs ${counted(bytes, "byte")}, ${counted(left, "is", "are")} left`
      : `the upload is larger than the ${
        counted(left + credit, "byte that is", "bytes that are")
      } left`;
    return refusal(why + held, roomHint);
  }
  if (entryLimit !== null && more > 0 && entries + more > entryLimit) {
    const needed = counted(more, "more entry", "more entries");
    const taken = `${entries} of ${entryLimit} ${inNumber(entries, "is", "are")} taken`;
    return refusal(
      `needs ${needed}, ${taken} (files, folders and partial uploads)`,
      "remove something, or ask for more entries",
    );
  }
  return undefined;
}
