/** Finds the answers to a certificate authority's challenges by TLS, for the doors. */
import type { Service } from "../login/service.ts";
import type { FindChallenge } from "../net/challenge/challenge.ts";
import { readChallengePair } from "../storage/acme.ts";
import type { DoorSpec } from "./door.ts";

/** Returns the function that finds answers; undefined for a door that answers none. */
export function challengeFinder(
  { acme }: Pick<Service, "acme">,
  { challenge }: Pick<DoorSpec, "challenge">,
): FindChallenge | undefined {
  return challenge === "tls-alpn-01" ? (host) => readChallengePair(acme, host) : undefined;
}
