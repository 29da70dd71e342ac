/** The failures that an authority reports (RFC 8555, section 6.7). */
import * as v from "valibot";
import { BargeError } from "../error.ts";
import type { OutboundAnswer } from "../outbound/request.ts";
import { retryAfterMs } from "../outbound/retry.ts";
import { printable } from "../protocol/printable.ts";

const maxDetailCharacters = 500;
const maxSubproblems = 10;

const plainProblem = {
  type: v.optional(v.string(), "about:blank"),
  detail: v.optional(v.string(), ""),
};

/** A problem document (RFC 7807), as an authority sends it and as orders contain it. */
export const problem = v.object({
  ...plainProblem,
  subproblems: v.optional(
    v.array(v.object({
      ...plainProblem,
      identifier: v.optional(v.object({ value: v.string() })),
    })),
    [],
  ),
});

export type Problem = v.InferOutput<typeof problem>;

/** A failure that the authority reported. */
export class AcmeFailure extends BargeError {
  /** The last part of the problem's type, like `rateLimited`. */
  readonly type: string;
  /** When the authority wants to be asked again, in ms since 1970; undefined: it does not say. */
  readonly retryAt: number | undefined;

  constructor(
    kind: "refused" | "unavailable",
    type: string,
    why: string,
    path: string,
    retryAt?: number,
  ) {
    super(kind, why, { op: "ask the certificate authority", path });
    this.type = type;
    this.retryAt = retryAt;
  }
}

/** Returns an answer with a status of 400 or more as a failure. */
export function failureOf({ status, headers, body }: OutboundAnswer, url: string): AcmeFailure {
  const parsed = v.safeParse(problem, parseJson(body));
  const type = parsed.success ? typeOf(parsed.output) : "";
  const why = parsed.success && parsed.output.detail !== ""
    ? explain(parsed.output)
    : `it answers with status ${status}`;
  const busy = status >= 500 || status === 429 || type === "rateLimited";
  const kind = busy ? "unavailable" : "refused";
  return new AcmeFailure(kind, type, why, url, retryTime(headers));
}

/** Returns the last part of a problem's type. */
export function typeOf({ type }: Pick<Problem, "type">): string {
  return type.replace(/^.*:/, "");
}

/** Returns a problem as text, with those of single domains. */
export function explain({ type, detail, subproblems }: Problem): string {
  const parts = subproblems.slice(0, maxSubproblems)
    .map((one) => `${one.identifier?.value ?? "?"}: ${one.detail}`);
  const text = [`${detail} (${typeOf({ type })})`, ...parts].join("; ");
  return printable(text.slice(0, maxDetailCharacters));
}

/** Returns when the authority wants to be asked again, in ms since 1970; undefined: it does not say. */
function retryTime(headers: Headers): number | undefined {
  const delay = retryAfterMs(headers);
  return delay === undefined ? undefined : Date.now() + delay;
}

/** Returns parsed JSON; undefined for bytes that are none. */
export function parseJson(body: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(body));
  } catch {
    return undefined;
  }
}
