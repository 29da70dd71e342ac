/**
 * Tickets: signed texts that a client hands back within some minutes. The page's login form carries one from
 * the right password to the code, so that no server has to remember the login between the two.
 */
import { createHmac, timingSafeEqual } from "node:crypto";

/** The time for which a ticket is valid, in ms. */
export const ticketMs = 10 * 60_000;

/** Makes a ticket. @param nowMs the time of storage, in ms since 1970 */
export function makeTicket(key: string, text: string, nowMs: number): string {
  const body = new TextEncoder().encode(JSON.stringify([text, nowMs + ticketMs]))
    .toBase64({ alphabet: "base64url", omitPadding: true });
  return `${body}.${signature(key, body)}`;
}

/**
 * Returns the text of a ticket; undefined for one that has ended, or that was not made with this key.
 *
 * @example
 * ```ts
 * import { makeTicket, openTicket, ticketMs } from "./ticket.ts";
 * const ticket = makeTicket("key", "ann", 0);
 * if (openTicket("key", ticket, ticketMs - 1) !== "ann") throw new Error();
 * if (openTicket("key", ticket, ticketMs) ?? openTicket("other", ticket, 1)) throw new Error();
 * ```
 */
export function openTicket(key: string, ticket: string, nowMs: number): string | undefined {
  const [body = "", signed = ""] = ticket.split(".", 2);
  const [own, given] = [signature(key, body), signed].map((text) => new TextEncoder().encode(text));
  if (own.length !== given.length || !timingSafeEqual(own, given)) return undefined;
  const bytes = Uint8Array.fromBase64(body, { alphabet: "base64url" });
  const [text, until] = JSON.parse(new TextDecoder().decode(bytes)) as [string, number];
  return nowMs < until ? text : undefined;
}

function signature(key: string, body: string): string {
  return createHmac("sha256", key).update(`ticket\n${body}`).digest("base64url");
}
