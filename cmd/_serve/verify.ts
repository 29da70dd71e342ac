/** The options of `barge serve` for the regular verification of all files. */
import type { RegularVerification } from "../../core/serve/upkeep/verify_regularly.ts";
import { marked, valueOr, type ValuesOf } from "../_term/command.ts";
import { size, spanOrOff } from "../_term/value.ts";

const defaultRate = 20_000_000;

/** SIGHUP applies other values. */
export const verifyOptions = marked({
  verifyEvery: valueOr(
    spanOrOff(),
    null,
    "Read all files at this interval, as `barge verify` does, and report what differs: in the log, " +
      "the metrics and the audit trail. A restart goes on where it was. Default: off",
  ),
  verifyRate: valueOr(
    size(),
    defaultRate,
    "The most bytes that --verify-every reads in a second. Default: 20MB",
  ),
}, { reloads: "always" });

/** Returns the regular verification of the options; undefined for none. */
export function verifyOf(
  { verifyEvery, verifyRate }: ValuesOf<typeof verifyOptions>,
): RegularVerification | undefined {
  if (verifyEvery === null) return undefined;
  return { everyMs: verifyEvery, maxBytesPerSecond: Math.max(1, verifyRate) };
}
