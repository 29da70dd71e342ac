/** Delivers events by HTTP: POST, with a signature as in Standard Webhooks 1.0.0. */
import { type BargeError, typed } from "../error.ts";
import { type OutboundConnections, sendRequest } from "../outbound/request.ts";
import { isBusy, retryAfterMs } from "../outbound/retry.ts";
import type { Deliver, Delivery } from "./delivery.ts";
import { signedHeaders } from "./signature.ts";

/** The time for a request and its answer, in ms. */
const requestTimeoutMs = 15_000;
/** The most bytes of an answer, of which only the status is used. */
const maxAnswerBytes = 64 * 1024;
/** The longest time that a receiver's Retry-After may put events off, in ms. */
const maxRetryAfterMs = 3_600_000;

/**
 * Returns a function that delivers events to a URL.
 *
 *   2xx                  delivered
 *   410                  refused: the event is dropped
 *   429, 502, 503, 504   failed; other events wait, too, for as long as Retry-After says
 *   any other status     failed; other events are delivered. Redirects are not followed
 *   no answer            failed; other events wait, too
 *
 * @param options.secrets as for `signedHeaders`
 * @param options.connections connections for its requests
 * @param options.version of barge, for the User-Agent
 */
export function webhook(
  url: string,
  { secrets, connections, version }: {
    readonly secrets: readonly Uint8Array[];
    readonly connections: OutboundConnections;
    readonly version: string;
  },
): Deliver {
  return async ({ id, facts }, signal) => {
    const body = JSON.stringify({ ...JSON.parse(facts), id });
    const seconds = Math.floor(Date.now() / 1000);
    try {
      const { status, headers } = await sendRequest({
        url,
        method: "POST",
        headers: {
          "content-type": "application/json",
          "user-agent": `barge/${version}`,
          ...signedHeaders(secrets, id, body, seconds),
        },
        body,
        connections,
        timeoutMs: requestTimeoutMs,
        maxBytes: maxAnswerBytes,
        signal,
      });
      return deliveryOf(status, headers);
    } catch (error) {
      signal.throwIfAborted();
      return failureOf(typed(error));
    }
  };
}

function deliveryOf(status: number, headers: Headers): Delivery {
  if (status >= 200 && status < 300) return { outcome: "delivered" };
  const why = `it answered ${status}`;
  if (status === 410) return { outcome: "refused", why };
  const asked = retryAfterMs(headers);
  return {
    outcome: "failed",
    why,
    fault: isBusy(status) ? "target" : "event",
    retryAfterMs: asked === undefined ? undefined : Math.min(asked, maxRetryAfterMs),
  };
}

/** A body that is too long came from a receiver that answers: it is the event's fault. */
function failureOf({ kind, message }: BargeError): Delivery {
  return { outcome: "failed", why: message, fault: kind === "protocol" ? "event" : "target" };
}
