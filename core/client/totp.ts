/**
 * The second factor of an account. Each change proves the password, and needs no login: an account that must
 * enable a second factor can do nothing else before it.
 */
import { BargeError } from "../error.ts";
import type { Answer } from "../protocol/message.ts";
import type { Client } from "./client.ts";
import { answerChallenge, checkSignature } from "./login.ts";
import { needTls } from "./password.ts";

/** The state of the second factor of the account that is logged in. */
export type TotpState = Answer<"totp">;

/** The proof for a change. */
export interface TotpProof {
  readonly account: string;
  readonly password: string;
  /** A code of the second factor, or a recovery code; to enable one, a code of its secret. */
  readonly code: string;
}

/** Returns the state of the second factor. @throws {BargeError} `denied` to a restricted token; `unsupported` */
export async function totpState(client: Client): Promise<TotpState> {
  return await client.ask("totp", {});
}

/**
 * Enables a second factor. All logins with the password end; tokens and SSH keys stay.
 *
 * @param secret 16 to 64 random bytes in base32
 * @returns the recovery codes, which the server does not keep
 * @throws {BargeError} `usage` for a wrong code or secret; `exists`; `unauthenticated`; `refused` without TLS to
 *   another machine; `unsupported` by an older server
 */
export async function enableTotp(
  client: Client,
  { secret, ...proof }: TotpProof & { readonly secret: string },
): Promise<readonly string[]> {
  return await change(client, proof, { action: "enable", secret });
}

/** Disables the second factor. @throws {BargeError} as {@link enableTotp} */
export async function disableTotp(client: Client, proof: TotpProof): Promise<void> {
  await change(client, proof, { action: "disable" });
}

/** Replaces the recovery codes. @returns the new ones @throws {BargeError} as {@link enableTotp} */
export async function renewRecoveryCodes(
  client: Client,
  proof: TotpProof,
): Promise<readonly string[]> {
  return await change(client, proof, { action: "recovery" });
}

async function change(
  client: Client,
  { account, password, code }: TotpProof,
  action:
    | { readonly action: "enable"; readonly secret: string }
    | { readonly action: "disable" | "recovery" },
): Promise<readonly string[]> {
  needTls(client, "change the second factor");
  const challenge = await answerChallenge(client, "password", account, password);
  const { proof, signature, binding } = challenge;
  const answer = await client.ask("set-totp", { ...action, proof, binding, code }).catch(
    (error) => {
      if (!(error instanceof BargeError) || error.kind !== "unsupported") throw error;
      throw new BargeError("unsupported", "this server is too old for a second factor", {
        op: "totp",
      });
    },
  );
  checkSignature(client, account, answer.signature, signature);
  return answer.codes;
}
