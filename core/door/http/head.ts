/** Checks the head of a request beyond what the parser does. */
import type { IncomingMessage } from "node:http";
import { BargeError } from "../../error.ts";
import { Refusal } from "./problem.ts";
import { longestHead, tooLong } from "./refuse.ts";

/** Those that the web's Request takes for none, and nobody needs here. */
const unknown = new Set(["TRACE", "TRACK", "CONNECT"]);

/**
 * @throws {Refusal} 431 for too long a head, 501 for a method that is not carried out; {BargeError}
 *   `protocol` where the client does not say, or says twice, to which host it speaks (RFC 9112,
 *   section 3.2)
 */
export function checkHead(
  { rawHeaders, httpVersion, method = "", url = "" }: IncomingMessage,
): void {
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
  if (unknown.has(method)) {
    throw new Refusal(501, "unsupported", `${method} is not carried out here`);
  }
}
