/** Checks the head of a request beyond what the parser does. */
import type { IncomingMessage } from "node:http";
import { BargeError } from "../../error.ts";
import { Refusal } from "./problem.ts";
import { longestHead, tooLong } from "./refuse.ts";

/** Those that the web's Request takes for none, and nobody needs here. */
const unknown = new Set(["TRACE", "TRACK", "CONNECT"]);

/**
 * Returns why the end of a request can't be told for certain. A proxy in front may see another end
 * than this server, and take what follows for another request (RFC 9112, sections 6.1 to 6.3 and
 * 11.2): nothing that comes behind such a request on its connection is carried out.
 *
 * @returns undefined for a request whose end is clear
 */
export function framingFault(
  { rawHeaders, httpVersion }: Pick<IncomingMessage, "rawHeaders" | "httpVersion">,
): BargeError | undefined {
  const codings: string[] = [];
  const lengths: string[] = [];
  for (let i = 0; i < rawHeaders.length; i += 2) {
    if (/^transfer-encoding$/i.test(rawHeaders[i])) codings.push(rawHeaders[i + 1]);
    if (/^content-length$/i.test(rawHeaders[i])) lengths.push(rawHeaders[i + 1]);
  }
  if (lengths.length > 1) return new BargeError("protocol", "there are two lengths");
  if (lengths.length === 1 && !/^\d+$/.test(lengths[0])) {
    return new BargeError("protocol", "Content-Length is no number");
  }
  if (codings.length === 0) return undefined;
  if (lengths.length > 0) return new BargeError("protocol", "there are a length and a coding");
  if (httpVersion !== "1.1") {
    return new BargeError("protocol", `HTTP/${httpVersion} has no Transfer-Encoding`);
  }
  if (codings.length === 1 && codings[0].trim().toLowerCase() === "chunked") return undefined;
  return new Refusal(501, "protocol", "the only transfer coding here is chunked");
}

/**
 * @throws {Refusal} 505 for another version, 431 for too long a head, 501 for a method that is not carried out; {BargeError}
 *   `protocol` where the client does not say, or says twice, to which host it speaks (RFC 9112,
 *   section 3.2), and for a {@link framingFault}
 */
export function checkHead(incoming: IncomingMessage): void {
  const { rawHeaders, httpVersion, method = "", url = "" } = incoming;
  if (httpVersion !== "1.1" && httpVersion !== "1.0") {
    throw new Refusal(505, "protocol", "HTTP/1.1 is spoken here");
  }
  let size = 0;
  let hosts = 0;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    size += rawHeaders[i].length + rawHeaders[i + 1].length + 4;
    if (/^host$/i.test(rawHeaders[i])) hosts++;
  }
  if (size > longestHead && url.length < size) throw tooLong();
  if (hosts > 1 || hosts === 0 && httpVersion === "1.1") {
    throw new BargeError("protocol", hosts > 1 ? "there are two hosts" : "the host is missing");
  }
  const fault = framingFault(incoming);
  if (fault) throw fault;
  if (unknown.has(method)) {
    throw new Refusal(501, "unsupported", `${method} is not carried out here`);
  }
}
