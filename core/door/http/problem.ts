/** Failures as responses: a status, and a problem in JSON (RFC 9457). */
import { BargeError, type ErrorFacts, type Kind, kinds } from "../../error.ts";

/** The status of each kind, unless a Refusal has another. */
const statuses = {
  usage: 400,
  "no-directory": 409,
  "not-found": 404,
  unavailable: 503,
  "no-space": 507,
  refused: 403,
  protocol: 400,
  unsupported: 501,
  fatal: 500,
  io: 500,
  denied: 403,
  unauthenticated: 401,
  "code-needed": 401,
  "over-quota": 507,
  digest: 400,
  exists: 409,
  changed: 503,
  identity: 502,
  interrupted: 503,
} as const satisfies Record<Kind, number>;

/** A failure with a status of its own. */
export class Refusal extends BargeError {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    status: number,
    kind: Kind,
    why: string,
    facts: ErrorFacts & { readonly headers?: Readonly<Record<string, string>> } = {},
  ) {
    super(kind, why, facts);
    this.status = status;
    this.headers = facts.headers ?? {};
  }

  override with(facts: ErrorFacts): Refusal {
    const all = Object.assign(super.with(facts), { headers: this.headers });
    return new Refusal(this.status, this.kind, this.message, all);
  }
}

/** Returns the refusal of an unknown URL. */
export function unknownUrl(): Refusal {
  return new Refusal(404, "not-found", "there is nothing at this URL");
}

/** Returns the status of a failure. */
export function statusOf(failed: BargeError): number {
  return failed instanceof Refusal ? failed.status : statuses[failed.kind];
}

/** Returns the headers of a failure. */
export function headersOf(failed: BargeError): Record<string, string> {
  const status = statusOf(failed);
  const retry: Record<string, string> = status === 503 ? { "retry-after": "5" } : {};
  return { ...retry, ...failed instanceof Refusal ? failed.headers : {} };
}

/** Returns the members of a problem; its `type` is a URL that explains the kind. */
export function problemOf(failed: BargeError, prefix = ""): object {
  const { kind, message: detail, op, path, account, hint } = failed;
  const type = `${prefix}/problems/${kind}`;
  return {
    type,
    title: kinds[kind],
    status: statusOf(failed),
    detail,
    kind,
    op,
    path,
    account,
    hint,
  };
}

/** Answers a failed request. @param prefix the start of the server's URLs */
export function problem(failed: BargeError, prefix = ""): Response {
  const headers = { ...headersOf(failed), "content-type": "application/problem+json" };
  const body = `${JSON.stringify(problemOf(failed, prefix))}\n`;
  return new Response(body, { status: statusOf(failed), headers });
}
