/**
 * Cuts the open logins of this isolate whose credential is gone: a token revoked or expired, a key removed,
 * a password changed, an account disabled or removed.
 *
 * Each request checks its login itself (session.ts); this class also ends idle connections and transfers
 * under way. Once a second it compares the text that stands for all ends so far, which is cheap, and checks
 * each login only after that text has changed. A login that has ended is cut a second later, so that the
 * answer with the reason can still be sent.
 */
import { getLogger } from "@logtape/logtape";
import { BargeError } from "../error.ts";

const log = getLogger(["barge", "login"]);
const sweepMs = 1000;
/** The time for the last answer after a login has ended. */
const lastAnswerMs = 1000;

/** A login that may end at any time. */
interface Login {
  /** Returns whether the login is still valid. */
  holds(): Promise<boolean>;
  /** Returns the reason why the login has ended; undefined while it is valid. */
  gone(): Promise<BargeError | undefined>;
}

interface Revocations {
  /** Returns a text that changes whenever a credential or an account has ended, also by its time. */
  revocations(): Promise<string>;
}

interface Open {
  readonly session: Login;
  readonly cut: (reason: BargeError) => void;
}

export class LiveLogins implements Disposable {
  readonly #counter: Revocations;
  readonly #open = new Set<Open>();
  /** The time when each login was found to have ended, by `performance.now()`. */
  readonly #lapsed = new Map<Login, number>();
  #revocations: string | undefined;
  #sweeping = false;
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(counter: Revocations) {
    this.#counter = counter;
  }

  /**
   * Watches a login until the returned function is called.
   *
   * @param cut ends its connection; called once at most
   */
  enter(session: Login, cut: (reason: BargeError) => void): () => void {
    const open = { session, cut };
    this.#open.add(open);
    this.#timer ??= setInterval(() => this.#sweep(), sweepMs);
    return () => {
      this.#open.delete(open);
      if (this.#open.size === 0) this.#stopTimer();
    };
  }

  /** Cuts a login after a second, because one of its requests has found that the login has ended. */
  lapse(session: Login): void {
    if (this.#timer === undefined) return; // no login is open
    if (!this.#lapsed.has(session)) this.#lapsed.set(session, performance.now());
  }

  [Symbol.dispose](): void {
    this.#open.clear();
    this.#stopTimer();
  }

  #stopTimer(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#revocations = undefined;
    this.#lapsed.clear();
  }

  async #sweep(): Promise<void> {
    if (this.#sweeping) return;
    this.#sweeping = true;
    try {
      await this.#findLapsed();
      await this.#cutLapsed();
    } catch (error) {
      if (!(error instanceof BargeError)) throw error;
      this.#revocations = undefined; // the next sweep checks every login
      log.warn("can't check which logins have ended: {why}", { why: `${error}` });
    } finally {
      this.#sweeping = false;
    }
  }

  async #findLapsed(): Promise<void> {
    const revocations = await this.#counter.revocations();
    if (revocations === this.#revocations) return;
    for (const session of new Set(Array.from(this.#open, ({ session }) => session))) {
      if (!await session.holds()) this.lapse(session);
    }
    this.#revocations = revocations;
  }

  async #cutLapsed(): Promise<void> {
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
    if (this.#open.size === 0) this.#stopTimer();
  }
}
