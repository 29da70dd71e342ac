/**
 * What a client is told that is not being served: there is no place for it, or what it sent is no
 * request. One answer in one write, and then the connection ends.
 */
import { STATUS_CODES } from "node:http";
import type { Socket } from "node:net";
import { BargeError } from "../../error.ts";
import { headersOf, problemOf, Refusal, statusOf } from "./problem.ts";

/** A head of more bytes is refused: the longest path, encoded, and room for the rest. */
export const longestHead = 16 * 1024;
/** Up to here the parser reads on, so that a refusal can say what was too long. */
export const longestRead = 64 * 1024;
/** A client that is told must have read it within so many ms. */
const within = 2_000;
/** So many are told at once; who comes beyond that is closed without a word. */
const most = 64;
let telling = 0;

/** Those for whom there is no place. */
export const crowded = new Refusal(503, "unavailable", "there are too many connections", {
  op: "connect",
  hint: "try again later, or end some of your own",
});

/** A client that takes the server for a proxy. */
export const noProxy = new Refusal(405, "unsupported", "this is no proxy");

/** What was no request, by the parser's name for it. */
export function malformed(code = ""): BargeError {
  if (code === "HPE_HEADER_OVERFLOW") return tooLong();
  if (code === "ERR_HTTP_REQUEST_TIMEOUT") {
    return new Refusal(408, "unavailable", "the request did not come in time");
  }
  return new BargeError("protocol", "that is no HTTP request");
}

/** A head beyond all bounds. */
export function tooLong(): Refusal {
  return new Refusal(431, "protocol", `the head is longer than ${longestHead} bytes`);
}

/** @param told false: just closes it */
export function refuse(socket: Socket, failed: BargeError, told = true): void {
  socket.on("error", () => {/* it is gone */});
  if (!told || !socket.writable || telling >= most) return void socket.destroy();
  telling++;
  const cut = setTimeout(() => socket.destroy(), within);
  socket.once("close", () => {
    clearTimeout(cut);
    telling--;
  });
  socket.end(answer(failed));
  socket.resume(); // closing on unread bytes would take the answer back
}

function answer(failed: BargeError): string {
  const status = statusOf(failed);
  const body = `${JSON.stringify(problemOf(failed))}\n`;
  const headers = {
    "content-type": "application/problem+json",
    "content-length": String(new TextEncoder().encode(body).length),
    "connection": "close",
    ...headersOf(failed),
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join("")}\r\n${body}`;
}
