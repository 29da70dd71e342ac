/**
 * Refuses a connection that has no exchange: there is no place for it, or its bytes are no request.
 * The response is one write, and ends the connection.
 */
import { STATUS_CODES } from "node:http";
import type { Socket } from "node:net";
import { BargeError } from "../../error.ts";
import { headersOf, problemOf, Refusal, statusOf } from "./problem.ts";

/** The longest head that is accepted: the longest path, encoded, and the headers. */
export const maxHeadBytes = 16 * 1024;
/** The longest head that the parser reads, so that a refusal can name the reason. */
export const maxParsedHeadBytes = 64 * 1024;
const refusalTimeoutMs = 2_000;
/** The most refusals that are being sent; further connections are closed without a response. */
const maxPendingRefusals = 64;
let pendingRefusals = 0;

export const tooManyConnections = new Refusal(
  503,
  "unavailable",
  "there are too many connections",
  {
    op: "connect",
    hint: "try again later, or end some of your own",
  },
);

export const noProxy = new Refusal(405, "unsupported", "this is no proxy");

/** Returns the refusal for an error of the parser, by its code. */
export function malformed(code = ""): BargeError {
  if (code === "HPE_HEADER_OVERFLOW") return headTooLong();
  if (code === "ERR_HTTP_REQUEST_TIMEOUT") {
    return new Refusal(408, "unavailable", "the request did not arrive in time");
  }
  return new BargeError("protocol", "that is no HTTP request");
}

export function headTooLong(): Refusal {
  return new Refusal(431, "protocol", `the head is longer than ${maxHeadBytes} bytes`);
}

/** @param respond whether to send a response before closing the connection */
export function refuse(socket: Socket, failed: BargeError, respond = true): void {
  socket.on("error", () => {/* the socket is closed then */});
  if (!respond || !socket.writable || pendingRefusals >= maxPendingRefusals) {
    return void socket.destroy();
  }
  pendingRefusals++;
  const cut = setTimeout(() => socket.destroy(), refusalTimeoutMs);
  socket.once("close", () => {
    clearTimeout(cut);
    pendingRefusals--;
  });
  socket.end(responseOf(failed));
  socket.resume(); // closing with unread bytes would reset the connection, and lose the response
}

function responseOf(failed: BargeError): string {
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
