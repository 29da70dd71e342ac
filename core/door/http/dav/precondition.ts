/** Refusals with the failed precondition in XML: RFC 4918, section 16. */
import type { ErrorFacts, Kind } from "../../../error.ts";
import { Locked } from "../../../session/lock.ts";
import type { Exchange } from "../exchange.ts";
import { Refusal } from "../problem.ts";
import { hrefOf } from "./headers.ts";
import { failedOn, xml } from "./multistatus.ts";

export class Precondition extends Refusal {
  /** The element's name, in `DAV:`. */
  readonly condition: string;

  constructor(
    status: number,
    condition: string,
    why: string,
    facts: ErrorFacts & { readonly kind?: Kind } = {},
  ) {
    super(status, facts.kind ?? "refused", why, facts);
    this.condition = condition;
  }

  override with(facts: ErrorFacts): Precondition {
    return new Precondition(this.status, this.condition, this.message, super.with(facts));
  }
}

/** Answers a failed precondition or a lock. @throws any other error again */
export function preconditionResponse(exchange: Exchange, error: unknown): Response {
  if (error instanceof Precondition) {
    exchange.failed = error;
    return xml(error.status, failedOn(error.condition));
  }
  if (error instanceof Locked) {
    exchange.failed = error;
    const condition = error.conflict ? "no-conflicting-lock" : "lock-token-submitted";
    const { prefix } = exchange.door.proxy;
    return xml(423, failedOn(condition, error.paths.map((path) => hrefOf(prefix, path, false))));
  }
  throw error;
}
