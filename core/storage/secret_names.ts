/**
 * The names of the random secrets that every storage makes for itself, and that a migration copies:
 *
 * - `decoy`: the verifiers of unknown names, and their marks in the list of bans;
 * - `share`: the proofs of passwords of share links;
 * - `ticket`: the tickets of logins that wait for a code.
 */
export const secretNames = ["decoy", "share", "ticket"] as const;
export type SecretName = typeof secretNames[number];
