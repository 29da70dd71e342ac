/**
 * A worker's side of the hooks: sends requests to the supervisor and matches its replies to them.
 * Each check ends with a reply or a cancellation; the supervisor replies to each within its time
 * limit. Notices of new events are gathered for a moment, since their transaction is not committed yet.
 */
import { BargeError } from "../../error.ts";
import type { Hooks, UploadFacts } from "../../watch/hooks.ts";

/** The hooks that the operator has configured. */
export interface OfferedHooks {
  readonly check: boolean;
}

/** The time for which notices of events are gathered, in ms. */
const gatherMs = 5;

/** The reason why an upload is refused or could not be checked; null: it is accepted. */
export type Verdict = { readonly kind: "refused" | "unavailable"; readonly message: string } | null;

/** A message about hooks from a worker to the supervisor. */
export type HookRequest =
  | { readonly type: "check"; readonly id: number; readonly facts: UploadFacts }
  | { readonly type: "cancel-check"; readonly id: number }
  | { readonly type: "events-written" };

/** The supervisor's reply to a check. */
export interface HookReply {
  readonly type: "checked";
  readonly id: number;
  readonly verdict: Verdict;
}

export class HookClient {
  readonly hooks: Hooks;
  readonly #post: (message: HookRequest) => void;
  /** Checks that wait for their replies, by id. */
  readonly #pending = new Map<number, (verdict: Verdict) => void>();
  #lastId = 0;
  #noticed = false;

  /** @param post sends a message to the supervisor */
  constructor(offered: OfferedHooks, post: (message: HookRequest) => void) {
    this.#post = post;
    this.hooks = {
      check: offered.check ? (facts, stop) => this.#check(facts, stop) : undefined,
      eventsWritten: () => this.#notice(),
    };
  }

  /** Handles a reply; one to a canceled check is dropped. */
  receive({ id, verdict }: HookReply): void {
    this.#pending.get(id)?.(verdict);
  }

  #notice(): void {
    if (this.#noticed) return;
    this.#noticed = true;
    setTimeout(() => {
      this.#noticed = false;
      this.#post({ type: "events-written" });
    }, gatherMs);
  }

  #check(facts: UploadFacts, stop: AbortSignal): Promise<void> {
    stop.throwIfAborted();
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      const end = () => {
        this.#pending.delete(id);
        stop.removeEventListener("abort", cancel);
      };
      const cancel = () => {
        end();
        this.#post({ type: "cancel-check", id });
        reject(stop.reason);
      };
      this.#pending.set(id, (verdict) => {
        end();
        if (!verdict) return resolve();
        const hint = verdict.kind === "unavailable" ? "try again later" : undefined;
        reject(new BargeError(verdict.kind, verdict.message, { hint }));
      });
      stop.addEventListener("abort", cancel);
      this.#post({ type: "check", id, facts });
    });
  }
}
