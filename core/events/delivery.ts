/** A delivery: one attempt to hand one event to its target. */

/** An event to deliver. */
export interface DeliveredEvent {
  /** The same at each attempt, and unique among the events of all targets. */
  readonly id: string;
  /** The stored JSON of its facts. */
  readonly facts: string;
}

export type Delivery =
  | { readonly outcome: "delivered" }
  /** No attempt can succeed: the event is dropped. */
  | { readonly outcome: "refused"; readonly why: string }
  | {
    readonly outcome: "failed";
    readonly why: string;
    /** `target`: the target took nothing, so others would fail, too. `event`: it did not take this one. */
    readonly fault: "target" | "event";
    /** The time until the next attempt that the target asks for, in ms. */
    readonly retryAfterMs?: number;
  };

/** Delivers an event. Rejects only when `stop` is aborted. */
export type Deliver = (event: DeliveredEvent, stop: AbortSignal) => Promise<Delivery>;
