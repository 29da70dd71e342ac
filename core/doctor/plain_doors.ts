/** Checks that doors which other machines reach have TLS. */
import { formatAddress, isLoopback } from "../net/address.ts";
import type { Verdict } from "./finding.ts";
import type { Setup } from "./setup.ts";

/** Returns a verdict for each open door without TLS, except SFTP, which has its own encryption. */
export function checkPlainDoors({ doors }: Setup): Verdict[] {
  const open = doors.filter(({ name, address, challengesOnly }) =>
    name !== "sftp" && !challengesOnly && !isLoopback(address.host)
  );
  const verdicts = open.filter(({ tls }) => tls !== "require").map(
    ({ name, address, metricsOnly, tls }): Verdict => {
      const door = metricsOnly ? "metrics" : name;
      // The native door never sends a password.
      const severity = name === "native" || metricsOnly ? "warn" : "bad";
      const what = severity === "bad" ? "files and passwords" : "what it sends";
      const how = tls === "offer" ? "does not require TLS" : "has no TLS";
      const message = `The ${door} door on ${formatAddress(address)} ${how}, so the network can ` +
        `read ${what}.`;
      const advice = "Remove --plaintext, or listen on 127.0.0.1 behind a proxy that has TLS.";
      return { severity, message, advice };
    },
  );
  if (verdicts.length > 0) return verdicts;
  const message = open.length === 0
    ? "No door without its own encryption is open to other machines."
    : "All doors that other machines reach have TLS.";
  return [{ severity: "ok", message }];
}
