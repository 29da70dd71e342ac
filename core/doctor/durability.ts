/** Checks that acknowledged files survive a power cut. */
import type { Verdict } from "./finding.ts";
import type { LocalSetup } from "./setup.ts";

/** Returns a verdict on --durability. */
export function checkDurability({ durability }: LocalSetup): Verdict[] {
  if (durability === "full") {
    return [{ severity: "ok", message: "Acknowledged files survive a power cut." }];
  }
  const message =
    "With --durability relaxed, a power cut can lose files that clients believe stored.";
  return [{ severity: "warn", message, advice: "Remove --durability relaxed." }];
}
