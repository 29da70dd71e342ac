/**
 * Serves `set-totp`: changes of the second factor.
 *
 * The client proves its password by a challenge of `auth` on this connection, whether it is logged in or not: an
 * account that must enable a second factor can do nothing else before it.
 */
import { BargeError } from "../../error.ts";
import { disableTotp, enableTotp, renewRecoveryCodes } from "../../login/totp.ts";
import type { Session } from "../../login/session.ts";
import type { Answer, Request } from "../../protocol/message.ts";
import type { Context } from "./context.ts";
import { needPrivacy } from "./privacy.ts";

export async function serveSetTotp(
  c: Context,
  request: Request<"set-totp">,
): Promise<Answer<"set-totp">> {
  needPrivacy(c, "set-totp");
  const { proof, binding, code, action } = request;
  const pending = c.challenge;
  c.challenge = undefined; // a challenge takes one proof
  if (!pending) throw new BargeError("protocol", "a proof without auth before it");
  const pause = (ms: number) => c.pause(ms);
  const second = action === "enable" ? { enables: true } : { code };
  const { session, answer } = await pending.prove(proof, pause, binding, second);
  const codes = await change(c, session, request);
  return { account: answer.account, signature: answer.signature, codes: [...codes] };
}

async function change(
  c: Context,
  session: Session,
  request: Request<"set-totp">,
): Promise<readonly string[]> {
  if (request.action === "recovery") return await renewRecoveryCodes(session);
  if (request.action === "disable") {
    await disableTotp(session);
    return [];
  }
  const { codes, credential } = await enableTotp(session, request);
  const own = c.session;
  if (own?.id === session.id && own.withPassword) own.credential = credential; // its login goes on
  return codes;
}
