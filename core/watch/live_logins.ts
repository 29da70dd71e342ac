/**
 * The logins that are open in this isolate, and how each is cut off when what it began with is gone:
 * a token revoked, a key removed, a password changed, an account disabled or removed.
 *
 *   open -> (lapsed) -> cut
 *
 * Every request asks by itself (session.ts); this ends what asks nothing: idle connections, and
 * transfers under way. Once a second it looks whether anything was revoked at all, which is one small
 * statement, and only then at each login. One that lapsed is cut a second later, so that an answer that
 * says why still leaves, also the one to a client that has revoked its own token.
 */
import { getLogger } from "@logtape/logtape";
import { BargeError } from "../error.ts";

const log = getLogger(["barge", "login"]);
const sweepMs = 1000;
/** How long a lapsed login has for its last answer. */
const lastAnswerMs = 1000;

/** A login that may end at any time. */
interface Login {
  /** Returns whether it may go on. */
  holds(): boolean;
  /** Returns the reason why it may not go on; undefined while it may. */
  gone(): BargeError | undefined;
}

/** Counts what has been revoked. */
interface Revocations {
  /** Returns a number that changes with every revocation. */
  revocations(): number;
}

interface Open {
  readonly session: Login;
  readonly cut: (reason: BargeError) => void;
}

export class LiveLogins implements Disposable {
  readonly #credentials: Revocations;
  readonly #open = new Set<Open>();
  /** Since when, by `performance.now()`. */
  readonly #lapsed = new Map<Login, number>();
  #revocations: number | undefined;
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(credentials: Revocations) {
    this.#credentials = credentials;
  }

  /**
   * Watches over a login.
   *
   * @param cut ends what it has open; called once at most
   * @returns forgets it; more than once does nothing
   */
  enter(session: Login, cut: (reason: BargeError) => void): () => void {
    const open = { session, cut };
    this.#open.add(open);
    this.#timer ??= setInterval(() => this.#sweep(), sweepMs);
    return () => {
      this.#open.delete(open);
      if (this.#open.size === 0) this.#rest();
    };
  }

  /** Has what a session has open cut in a moment: a request of its has found that it has ended. */
  lapse(session: Login): void {
    if (this.#timer === undefined) return; // none is open
    if (!this.#lapsed.has(session)) this.#lapsed.set(session, performance.now());
  }

  [Symbol.dispose](): void {
    this.#open.clear();
    this.#rest();
  }

  #rest(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#revocations = undefined;
    this.#lapsed.clear();
  }

  #sweep(): void {
    try {
      this.#look();
      this.#cut();
    } catch (error) {
      if (!(error instanceof BargeError)) throw error;
      this.#revocations = undefined; // everything is looked at when it can be
      log.warn("can't find out whose login has ended: {why}", { why: `${error}` });
    }
  }

  #look(): void {
    const revocations = this.#credentials.revocations();
    if (revocations === this.#revocations) return;
    const alive = new Map<Login, boolean>();
    for (const { session } of this.#open) {
      if (alive.has(session)) continue;
      const holds = session.holds();
      alive.set(session, holds);
      if (!holds) this.lapse(session);
    }
    this.#revocations = revocations;
  }

  #cut(): void {
    const now = performance.now();
    for (const [session, since] of this.#lapsed) {
      if (now - since < lastAnswerMs) continue;
      this.#lapsed.delete(session);
      const reason = session.gone();
      if (!reason) continue; // the account was enabled again
      for (const open of this.#open) {
        if (open.session !== session) continue;
        this.#open.delete(open);
        open.cut(reason);
      }
    }
    if (this.#open.size === 0) this.#rest();
  }
}
