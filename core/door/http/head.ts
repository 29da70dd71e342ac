/** Checks the head of a request beyond the parser's checks. */
import type { IncomingMessage } from "node:http";
import { BargeError } from "../../error.ts";
import { Refusal } from "./problem.ts";
import { headTooLong, maxHeadBytes } from "./refuse.ts";

/** Methods that the class `Request` refuses, and that barge does not need. */
const unsupportedMethods = new Set(["TRACE", "TRACK", "CONNECT"]);

/**
 * Returns why the end of a request is ambiguous; undefined if it is clear. A proxy may see another end
 * than this server, and take the following bytes for another request (RFC 9112, sections 6.1 to 6.3 and
 * 11.2). So nothing that follows such a request on its connection is carried out.
 */
export function framingFault(
  { rawHeaders, httpVersion }: Pick<IncomingMessage, "rawHeaders" | "httpVersion">,
): BargeError | undefined {
  const codings = valuesOf(rawHeaders, "transfer-encoding");
  const lengths = valuesOf(rawHeaders, "content-length");
  const fault = (why: string) => new BargeError("protocol", why);
  if (lengths.length > 1) return fault("the request has two Content-Length headers");
  if (lengths.length === 1 && !/^\d+$/.test(lengths[0])) {
    return fault("Content-Length is not a number");
  }
  if (codings.length === 0) return undefined;
  if (lengths.length > 0) {
    return fault("the request has both Content-Length and Transfer-Encoding");
  }
  if (httpVersion !== "1.1") return fault(`HTTP/${httpVersion} has no Transfer-Encoding`);
  if (codings.length === 1 && codings[0].trim().toLowerCase() === "chunked") return undefined;
  return new Refusal(501, "protocol", "the only supported transfer coding is chunked");
}

/**
 * Checks version, size, host, framing and method of a request.
 *
 * @throws {Refusal} 505 for another version, 431 for too long a head, 501 for an unsupported method;
 *   {BargeError} `protocol` for a missing or second Host header (RFC 9112, section 3.2), and for a
 *   {@link framingFault}
 */
export function checkHead(incoming: IncomingMessage): void {
  const { rawHeaders, httpVersion, method = "", url = "" } = incoming;
  if (httpVersion !== "1.1" && httpVersion !== "1.0") {
    throw new Refusal(505, "protocol", "this server supports HTTP/1.0 and HTTP/1.1");
  }
  const hosts = valuesOf(rawHeaders, "host").length;
  const size = rawHeaders.reduce((sum, text) => sum + text.length + 2, 0);
  // If the URL is longer than all headers together, the response is 414 instead (parseTarget).
  if (size > maxHeadBytes && url.length < size) throw headTooLong();
  if (hosts > 1) throw new BargeError("protocol", "the request has two Host headers");
  if (hosts === 0 && httpVersion === "1.1") {
    throw new BargeError("protocol", "the Host header is missing");
  }
  const fault = framingFault(incoming);
  if (fault) throw fault;
  if (unsupportedMethods.has(method)) {
    throw new Refusal(501, "unsupported", `the method ${method} is not supported`);
  }
}

/** @param rawHeaders names and values in turn @param name in lower case */
function valuesOf(rawHeaders: readonly string[], name: string): string[] {
  return rawHeaders.filter((_, i) => i % 2 === 1 && rawHeaders[i - 1].toLowerCase() === name);
}
