/**
 * Keeps the certificate of a server: shows the one that is kept, renews it in time, and tries again after a
 * failure. No failure stops the server.
 *
 *   waiting -> (the authority is to be asked for its window) -> waiting, for another time
 *   waiting -> (due, and this server has the lease) -> ordering -> kept -> waiting
 *                                                            \-> failed -> waiting, for longer each time
 *
 * Invariants: the time of the next try is kept before the wait, so that a restart does not shorten it; between two
 * tries lies at least the time that the authority has asked for. Several nodes: each one looks for a certificate
 * that another one has kept, every few seconds.
 */
import { getLogger } from "@logtape/logtape";
import { BargeError, typed } from "../error.ts";
import type { Certificate } from "../net/certificate.ts";
import { delay } from "../net/delay.ts";
import { type AcmeStore, readRenewal, type Renewal } from "../storage/acme.ts";
import { connect, forgetAccount } from "./account.ts";
import { AcmeFailure } from "./failure.ts";
import { keepCertificate, keptCertificate } from "./kept.ts";
import { dropOrder, obtain } from "./order.ts";
import { askRenewalInfo } from "./renewal_info.ts";
import { nextAskTime, renewalTime, retryTimeAfter, timeInWindow } from "./schedule.ts";
import { type AcmeSetup, sameDomains } from "./setup.ts";

const log = getLogger(["barge", "serve"]);

/** The longest time between two looks at the records, in ms. */
const lookMs = 10_000;
/** The time between two looks while another node orders, in ms. */
const otherOrdersMs = 2_000;
/** The least time between two orders of nodes with different options, in ms. */
const minPauseMs = 5 * 60_000;
/** The longest try, in ms. */
const tryTimeoutMs = 10 * 60_000;
/** How long a node may order without a sign of life, and how often it gives one, in ms. */
const leaseMs = 60_000;
const leaseRenewalMs = 15_000;
const maxWhyCharacters = 1000;
const unset = new Date(0).toISOString();

export interface RenewerOptions {
  readonly setup: AcmeSetup;
  readonly store: AcmeStore;
  /** The fingerprint of the certificate that the server shows now. */
  readonly shown: string | undefined;
  /** Shows another certificate from now on. */
  readonly onCertificate: (certificate: Certificate) => void;
  /** Called with the state of the renewal after each look. */
  readonly onRenewal: (renewal: Renewal) => void;
}

export class Renewer implements AsyncDisposable {
  readonly #options: RenewerOptions;
  readonly #stopped = new AbortController();
  readonly #running: Promise<void>;
  #wake = new AbortController();
  #shown: string | undefined;
  /** Whether to try now although the last failure is recent. */
  #asked = false;
  /**
   * No try before this time, in ms since 1970: the records may not say so, because they can't be written, or because
   * a node with other options writes them, too.
   */
  #notBefore = 0;
  /** Whether another node has taken the lease over during the try. */
  #leaseLost = false;
  /** Whether the last look at the records failed. */
  #blind = false;

  /** Starts at once. */
  constructor(options: RenewerOptions) {
    this.#options = options;
    this.#shown = options.shown;
    this.#running = this.#run();
  }

  /** Tries now, if the last try has failed and the authority has not asked for more time. */
  retry(): void {
    this.#asked = true;
    this.#wake.abort();
  }

  /** Ends the try under way; the next start goes on with it. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const stop = this.#stopped.signal;
    while (!stop.aborted) {
      this.#wake = new AbortController();
      let ms = lookMs;
      try {
        ms = await this.#look();
        if (this.#blind) log.info("the records of the certificate's renewal can be read again");
        this.#blind = false;
      } catch (error) {
        if (stop.aborted) return;
        if (!this.#blind) {
          log.error("can't look after the certificate: {why}", { why: String(error) });
        }
        this.#blind = true;
      }
      await delay(ms, AbortSignal.any([stop, this.#wake.signal])).catch(() => {/* woken */});
    }
  }

  /** Does what is due. @returns the time until the next look, in ms */
  async #look(): Promise<number> {
    const { store } = this.#options;
    const asked = this.#asked;
    this.#asked = false;
    let { renewal, due } = await this.#state(asked);
    if (due || isAskDue(renewal)) {
      if (!await store.lease(leaseMs)) return otherOrdersMs;
      try {
        ({ renewal, due } = await this.#state(asked)); // another node may have just renewed it
        if (!due && isAskDue(renewal)) ({ renewal, due } = await this.#ask(renewal));
        if (due) renewal = await this.#try(renewal);
      } finally {
        await store.release();
      }
    }
    const next = Math.max(Date.parse(renewal.next), this.#notBefore) - Date.now();
    return Math.min(Math.max(next, 100), lookMs);
  }

  /** Reads the records, and shows the certificate that is kept. @param asked whether to try again now */
  async #state(asked: boolean): Promise<{ readonly renewal: Renewal; readonly due: boolean }> {
    const { setup: { directory, domains }, store, onRenewal } = this.#options;
    const kept = await keptCertificate(store);
    if (kept) this.#show(kept);
    const same = (of: Pick<Renewal, "directory" | "domains">) =>
      of.directory === directory && sameDomains(of.domains, domains);
    const read = await this.#readRenewal();
    const fits = kept !== undefined && same(kept);
    // A record of other options, or from before the certificate, has no say.
    const current = read && same(read) && read.until === kept?.until.toISOString()
      ? read
      : undefined;
    const renewal = current ?? {
      directory,
      domains: [...domains],
      until: kept?.until.toISOString(),
      next: fits ? new Date(renewalTime(kept)).toISOString() : unset,
      failures: 0,
    };
    if (current) onRenewal(renewal);
    else await this.#keep(renewal);
    const again = asked && renewal.failures > 0 &&
      Date.now() >= Date.parse(renewal.retryAfter ?? unset);
    return { renewal, due: again || this.#isDue(renewal) };
  }

  #isDue({ next }: Renewal): boolean {
    return Date.now() >= Math.max(Date.parse(next), this.#notBefore);
  }

  /** Asks the authority in which window it wants the renewal. @returns the state afterwards */
  async #ask(before: Renewal): Promise<{ readonly renewal: Renewal; readonly due: boolean }> {
    const { setup, store } = this.#options;
    const domains = before.domains.join(", ");
    let [next, askAgainMs]: [string, number | undefined] = [before.next, undefined];
    try {
      const kept = (await keptCertificate(store))!;
      const info = await askRenewalInfo(setup, kept, this.#stopped.signal);
      askAgainMs = info?.askAgainMs;
      if (info) {
        next = new Date(timeInWindow(info.window, Date.parse(next), kept)).toISOString();
        if (next !== before.next) {
          log.info(
            "the authority wants another time: the certificate for {domains} is renewed at {next}",
            {
              domains,
              next,
              explanation: info.explanation?.slice(0, maxWhyCharacters),
            },
          );
        }
      }
    } catch (error) {
      this.#stopped.signal.throwIfAborted();
      log.warn("the authority does not answer when to renew the certificate for {domains}: {why}", {
        domains,
        why: String(failureOf(error)).slice(0, maxWhyCharacters),
      });
    }
    const renewal = { ...before, next, ask: new Date(nextAskTime(askAgainMs)).toISOString() };
    await this.#keep(renewal);
    return { renewal, due: this.#isDue(renewal) };
  }

  /** Returns the state of the renewal; undefined where it is damaged, too. */
  async #readRenewal(): Promise<Renewal | undefined> {
    try {
      return await readRenewal(this.#options.store);
    } catch (error) {
      if (error instanceof BargeError && error.kind === "fatal") return undefined;
      throw error;
    }
  }

  #show(certificate: Certificate): void {
    if (certificate.fingerprint === this.#shown) return;
    this.#options.onCertificate(certificate);
    this.#shown = certificate.fingerprint;
  }

  /** Tries to get a certificate. @returns the state afterwards */
  async #try(before: Renewal): Promise<Renewal> {
    const { domains, directory } = this.#options.setup;
    log.info("a certificate for {domains} is ordered from {directory}", {
      domains: domains.join(", "),
      directory,
    });
    this.#leaseLost = false;
    try {
      await this.#order();
    } catch (error) {
      this.#stopped.signal.throwIfAborted();
      if (this.#leaseLost) return before;
      return await this.#failed(before, failureOf(error));
    }
    const { store } = this.#options;
    const kept = (await keptCertificate(store))!;
    this.#show(kept);
    const time = nextRenewal(kept);
    this.#notBefore = Math.min(time, Date.now() + minPauseMs);
    const next = new Date(time).toISOString();
    const until = kept.until.toISOString();
    // A new certificate has no other window soon, so that an authority which errs gets no order after the other.
    const ask = new Date(nextAskTime(undefined)).toISOString();
    const after = { directory, domains: [...domains], until, next, failures: 0, ask };
    await this.#keep(after);
    const names = domains.join(", ");
    const message =
      "the certificate for {domains} was issued until {until}; it is renewed at {next}";
    log.info(message, { domains: names, until, next });
    return after;
  }

  async #failed(before: Renewal, error: BargeError): Promise<Renewal> {
    const failures = before.failures + 1;
    const retryAt = error instanceof AcmeFailure ? error.retryAt : undefined;
    this.#notBefore = retryTimeAfter(failures, { retryAt });
    const next = new Date(this.#notBefore).toISOString();
    const why = String(error).slice(0, maxWhyCharacters);
    const after = {
      ...before,
      next,
      failures,
      failed: { at: new Date().toISOString(), why },
      retryAfter: retryAt === undefined ? undefined : new Date(retryAt).toISOString(),
    };
    await this.#keep(after);
    const domains = before.domains.join(", ");
    log.error("no certificate for {domains}: {why}; the next try is at {next}", {
      domains,
      why,
      next,
    });
    return after;
  }

  async #keep(renewal: Renewal): Promise<void> {
    await this.#options.store.write("renewal", JSON.stringify(renewal));
    this.#options.onRenewal(renewal);
  }

  /** Orders a certificate and keeps it. */
  async #order(): Promise<void> {
    const { setup, store } = this.#options;
    const lost = new AbortController();
    const holding = setInterval(async () => {
      const held = await store.lease(leaseMs).catch(() => true); // the storage may be back soon
      if (held) return;
      this.#leaseLost = true;
      lost.abort(new BargeError("unavailable", "another node orders the certificate"));
    }, leaseRenewalMs);
    const signal = AbortSignal.any([
      this.#stopped.signal,
      lost.signal,
      AbortSignal.timeout(tryTimeoutMs),
    ]);
    try {
      const kept = await keptCertificate(store);
      const issued = await retriedWithoutAccount(store, async () => {
        const connection = await connect(setup, store, signal);
        return await obtain(connection, setup, store, kept, signal);
      });
      const { directory, domains } = setup;
      await keepCertificate(store, { directory, domains: [...domains], ...issued });
      await dropOrder(store);
    } finally {
      clearInterval(holding);
    }
  }
}

/** Returns whether the authority is to be asked for its window: there is a certificate, and no try has failed. */
function isAskDue({ until, failures, ask = unset }: Renewal): boolean {
  return until !== undefined && failures === 0 && Date.now() >= Date.parse(ask);
}

/** Returns a failure of a try; a fault of this program or a library counts as one, too. */
function failureOf(cause: unknown): BargeError {
  if (cause instanceof BargeError) return cause; // an AcmeFailure stays one
  const isFault = cause instanceof TypeError || cause instanceof RangeError;
  return isFault ? new BargeError("fatal", String(cause), { cause }) : typed(cause);
}

/** Returns when to renew a new certificate: not at once, whatever this machine's clock says of its life. */
function nextRenewal({ from, until }: Certificate, now = Date.now()): number {
  const least = now + Math.max((until.getTime() - now) / 4, 1000);
  return Math.max(renewalTime({ from, until }), Math.round(least));
}

/** Makes the account again where the authority has lost it. */
async function retriedWithoutAccount<T>(store: AcmeStore, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof AcmeFailure) || error.type !== "accountDoesNotExist") throw error;
    await forgetAccount(store);
    await dropOrder(store);
    return await work();
  }
}
