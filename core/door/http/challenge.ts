/** Answers the challenges of a certificate authority: by HTTP (RFC 8555, section 8.3) and by TLS (RFC 8737). */
import type { Socket } from "node:net";
import { typed } from "../../error.ts";
import type { FindChallenge } from "../../net/challenge/challenge.ts";
import { ChallengeTls } from "../../net/challenge/challenge_tls.ts";
import { readChallengeText } from "../../storage/acme.ts";
import { note } from "../failure.ts";
import type { Exchange } from "./exchange.ts";
import { Refusal, unknownUrl } from "./problem.ts";

const challengePath = "/.well-known/acme-challenge/";

/** Returns whether a request is a challenge. It is answered whatever host it names: the answer is public. */
export function isChallenge({ door: { challenges }, incoming: { url = "" } }: Exchange): boolean {
  return challenges && url.startsWith(challengePath);
}

/** Answers a challenge by HTTP. @throws {Refusal} 404 where no answer is known; 405 */
export async function answerHttpChallenge(exchange: Exchange): Promise<Response> {
  const { store, method, incoming: { url = "" } } = exchange;
  if (method !== "GET" && method !== "HEAD") {
    const allow = { headers: { allow: "GET, HEAD" } };
    throw new Refusal(405, "unsupported", `this URL does not support ${method}`, allow);
  }
  const text = await readChallengeText(store.acme, url.slice(challengePath.length));
  if (text === undefined) throw unknownUrl();
  const headers = { "content-type": "application/octet-stream", "cache-control": "no-store" };
  return new Response(text, { headers });
}

/** Makes the handshake of a challenge, at most in the given time. Never throws. */
export async function showChallenge(
  socket: Socket,
  host: string,
  find: FindChallenge,
  timeoutMs: number,
): Promise<void> {
  const late = setTimeout(() => socket.destroy(), timeoutMs);
  socket.once("close", () => clearTimeout(late));
  try {
    const pair = await find(host);
    if (!pair) return void socket.destroy();
    const tls = new ChallengeTls(pair);
    for await (const bytes of socket) {
      if (!tls.done) socket.write(tls.feed(bytes));
    }
    socket.destroy();
  } catch (error) {
    note(typed(error), "answer a challenge");
    socket.destroy();
  }
}
