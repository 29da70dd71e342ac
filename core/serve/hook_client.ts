/**
 * A worker's end of the hooks: it asks its supervisor, in messages, and remembers who waits for which
 * answer. A check ends when it is answered or taken back; the supervisor answers each in time.
 */
import { BargeError } from "../error.ts";
import type { Hooks, UploadFacts } from "../watch/hooks.ts";
import type { FromDesk, Offered, ToDesk, Verdict } from "./hook_programs.ts";

export class Desk {
  /** What the session calls. */
  readonly hooks: Hooks;
  readonly #post: (message: FromDesk) => void;
  /** Who waits for an answer, by the number of the question. */
  readonly #waiting = new Map<number, (verdict: Verdict) => void>();
  #last = 0;

  /** @param post tells the supervisor something */
  constructor(offered: Offered, post: (message: FromDesk) => void) {
    this.#post = post;
    this.hooks = {
      ...offered.check ? { check: (facts, stop) => this.#check(facts, stop) } : {},
      ...offered.committed ? { committed: (facts) => post({ type: "committed", facts }) } : {},
    };
  }

  /** Takes the supervisor's answer; one that nobody waits for any more is dropped. */
  answered({ id, verdict }: ToDesk): void {
    this.#waiting.get(id)?.(verdict);
  }

  #check(facts: UploadFacts, stop: AbortSignal): Promise<void> {
    stop.throwIfAborted();
    const id = ++this.#last;
    return new Promise((resolve, reject) => {
      const end = () => {
        this.#waiting.delete(id);
        stop.removeEventListener("abort", takeBack);
      };
      const takeBack = () => {
        end();
        this.#post({ type: "uncheck", id });
        reject(stop.reason);
      };
      this.#waiting.set(id, (verdict) => {
        end();
        if (!verdict) return resolve();
        const hint = verdict.kind === "unavailable" ? "try again later" : undefined;
        reject(new BargeError(verdict.kind, verdict.message, { hint }));
      });
      stop.addEventListener("abort", takeBack);
      this.#post({ type: "check", id, facts });
    });
  }
}
