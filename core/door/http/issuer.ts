import type { Exchange } from "./exchange.ts";

/** Returns the name of the server that authenticator apps show. */
export function issuerOf({ base }: Exchange): string {
  return URL.parse(base)?.hostname ?? "barge";
}
