import { BargeError } from "../../../error.ts";
import { type Address, formatAddress } from "../../../net/address.ts";
import { dial } from "../../../net/dial.ts";
import { Event } from "../../../sync/mod.ts";
import type { Runner, Trace } from "../../runner/runner.ts";
import type { Action, EventKind, Verdict } from "../../trace.ts";
import { bilingual } from "../../text.ts";

const retryIntervalMs = 200;
const attemptTimeoutMs = 2000;
const progressIntervalMs = 1000;

/**
 * Waits until all addresses listen, for `barge demo event --wait-for`. It tries each at least once,
 * and the end of the time does not interrupt that attempt, so with 0 seconds the outcome depends on
 * the services alone.
 *
 * @param seconds the limit of the whole wait; 0 to try once
 * @throws {BargeError} `unavailable` if a service does not listen in time
 */
export async function waitForServices(
  runner: Runner,
  addresses: readonly Address[],
  seconds: number,
): Promise<Verdict> {
  const names = addresses.map(formatAddress).join(", ");
  const title = bilingual`until ${names} listens || 等到 ${names} 开始监听`;
  const start = performance.now();
  await runner.runRealTime(title, async (trace) => {
    const timeout = new AbortController();
    const { signal } = runner;
    const wait: Wait = { trace, start, signal, over: AbortSignal.any([signal, timeout.signal]) };
    const timer = setTimeout(() => timeout.abort(), seconds * 1000);
    try {
      const listening = await Promise.all(addresses.map((address) => waitForOne(wait, address)));
      const missing = addresses.filter((_, i) => !listening[i]);
      if (missing.length === 0) return;
      throw new BargeError(
        "unavailable",
        seconds === 0 ? "nothing listens there" : `nothing listens there within ${seconds} s`,
        {
          op: "wait for",
          path: missing.map(formatAddress).join(", "),
          hint: "--timeout SECONDS waits longer",
        },
      );
    } finally {
      timeout.abort();
      clearTimeout(timer);
    }
  }, "measured");
  const value = performance.now() - start;
  return {
    ok: true,
    summary: bilingual`${names} listens || ${names} 已在监听`,
    measured: [{ name: bilingual`waited, ms || 等了，毫秒`, value }],
  };
}

/** The state that the waits for all addresses share. */
interface Wait {
  readonly trace: Trace;
  /** The beginning, in ms of performance.now(). */
  readonly start: number;
  /** Aborted when the user interrupts the program. */
  readonly signal: AbortSignal;
  /** Aborted when the user interrupts the program, and at the end of the time. */
  readonly over: AbortSignal;
}

/**
 * Tries to connect until it succeeds, and then sets an event. Meanwhile an async task waits for that
 * event, as the workers of the lesson do, and reports progress.
 *
 * @returns false if the time ends first
 */
async function waitForOne(
  { trace, start, signal, over }: Wait,
  address: Address,
): Promise<boolean> {
  const lane = formatAddress(address);
  const up = new Event();
  const show = (what: EventKind, details: Partial<Action> = {}) =>
    trace.event({ t: (performance.now() - start) / 1000, lane, what, ...details });
  const ended = new AbortController();
  const overOrEnded = AbortSignal.any([over, ended.signal]);
  show("waits", { of: bilingual`listening || 监听` });
  const progress = (async () => {
    while (!await up.waitAsync({ timeout: progressIntervalMs / 1000, signal: overOrEnded })) {
      show("notes", { text: bilingual`still waiting for ${lane} || 还在等 ${lane}` });
    }
  })();
  progress.catch(() => {}); // an abort ends it
  try {
    for (let first = true; !await isListening(address, first ? signal : over); first = false) {
      await up.waitAsync({ timeout: retryIntervalMs / 1000, signal: over });
    }
    up.set();
  } catch (error) {
    signal.throwIfAborted();
    if (!over.aborted || error !== over.reason) throw error;
    return false;
  } finally {
    ended.abort();
  }
  show("runs", { text: bilingual`${lane} listens || ${lane} 已在监听` });
  show("ends");
  return true;
}

async function isListening(address: Address, signal: AbortSignal): Promise<boolean> {
  try {
    const options = { timeout: attemptTimeoutMs, idleTimeoutMs: attemptTimeoutMs, signal };
    (await dial(address, options)).close();
    return true;
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof BargeError && error.kind === "unavailable") return false;
    throw error;
  }
}
