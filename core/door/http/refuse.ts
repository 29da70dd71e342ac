/**
 * Refuses a connection outside any request: there are too many connections, or the received bytes are not
 * an HTTP request. The response is sent in one write, and the connection is closed.
 */
import { STATUS_CODES } from "node:http";
import type { Socket } from "node:net";
import { BargeError } from "../../error.ts";
import { headersOf, problemOf, Refusal, statusOf } from "./problem.ts";

/** The most bytes of a request's headers. WebDAV's Destination alone may hold the longest path, encoded. */
export const maxHeadBytes = 16 * 1024;
/**
 * The most bytes of a head that Node's parser accepts. It is more than {@link maxHeadBytes}: the response
 * to a head whose size is between both limits can name the reason.
 */
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

export const noProxy = new Refusal(405, "unsupported", "this server is not a proxy");

/** Returns the refusal for an error of Node's HTTP parser. @param code of that error */
export function malformed(code = ""): BargeError {
  if (code === "HPE_HEADER_OVERFLOW") return headTooLong();
  if (code === "ERR_HTTP_REQUEST_TIMEOUT") {
    return new Refusal(408, "unavailable", "the request did not arrive in time");
  }
  return new BargeError("protocol", "the received bytes are not an HTTP request");
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
