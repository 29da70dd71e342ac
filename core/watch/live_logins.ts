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
  holds(): Promise<boolean>;
  /** Returns the reason why it may not go on; undefined while it may. */
  gone(): Promise<BargeError | undefined>;
}

/** Counts what has been revoked. */
interface Revocations {
  /** Returns a number that changes with every revocation. */
  revocations(): Promise<number>;
}

interface Open {
  readonly session: Login;
  readonly cut: (reason: BargeError) => void;
}

export class LiveLogins implements Disposable {
  readonly #counter: Revocations;
  readonly #open = new Set<Open>();
  /** Since when, by `performance.now()`. */
  readonly #lapsed = new Map<Login, number>();
  #revocations: number | undefined;
  #sweeping = false;
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(counter: Revocations) {
    this.#counter = counter;
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

  async #sweep(): Promise<void> {
    if (this.#sweeping) return;
    this.#sweeping = true;
    try {
      await this.#look();
      await this.#cut();
    } catch (error) {
      if (!(error instanceof BargeError)) throw error;
      this.#revocations = undefined; // the next sweep looks at every login
      log.warn("can't find out whose login has ended: {why}", { why: `${error}` });
    } finally {
      this.#sweeping = false;
    }
  }

  async #look(): Promise<void> {
    const revocations = await this.#counter.revocations();
    if (revocations === this.#revocations) return;
    for (const session of new Set(Array.from(this.#open, ({ session }) => session))) {
      if (!await session.holds()) this.lapse(session);
    }
    this.#revocations = revocations;
  }

  async #cut(): Promise<void> {
    const now = performance.now();
    for (const [session, since] of this.#lapsed) {
      if (now - since < lastAnswerMs) continue;
      const reason = await session.gone();
      this.#lapsed.delete(session);
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
