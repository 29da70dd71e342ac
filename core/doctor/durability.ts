/** Checks that acknowledged files survive a power cut. */
import type { Verdict } from "./finding.ts";
import { isInMemory } from "./file_system.ts";
import type { LocalSetup } from "./setup.ts";

/** Returns a verdict on --durability, and on a file system that keeps nothing anyway. */
export function checkDurability({ data, durability }: LocalSetup): Verdict[] {
  if (durability === "full" && isInMemory(data)) {
    const message = "A power cut loses all files, since the data directory is in memory.";
    return [{ severity: "note", message }];
  }
  if (durability === "full") {
    return [{ severity: "ok", message: "Acknowledged files survive a power cut." }];
  }
  const message =
    "With --durability relaxed, a power cut can lose files that clients believe stored.";
  return [{ severity: "warn", message, advice: "Remove --durability relaxed." }];
}
