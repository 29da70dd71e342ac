/** The pace of a lesson: by the part's clock, or by keys. */
import type { Text } from "../../core/demo/text.ts";
import type { Reporter } from "../../core/demo/trace.ts";
import { BargeError } from "../../core/error.ts";
import { terminal } from "../_term/out.ts";

/** The interval of redraws while no event happens. */
const redrawIntervalMs = 80;

/**
 * Returns a reporter that delays each event until its time on the part's clock.
 *
 * @param speed the factor by which the part runs faster than its clock
 * @param advance called with the part's time while no event happens
 */
export function paceByClock(
  reporter: Reporter,
  speed: number,
  advance: (t: number) => void,
  signal: AbortSignal,
): Reporter {
  let start = 0;
  let delays = true;
  return {
    ...reporterOf(reporter),
    partStarts(part) {
      start = performance.now();
      delays = !part.realTime;
      return reporter.partStarts(part);
    },
    async event(event) {
      const due = start + event.t * 1000 / speed;
      for (let left; delays && (left = due - performance.now()) > 1;) {
        await sleep(Math.min(left, redrawIntervalMs), signal);
        advance(Math.min(event.t, (performance.now() - start) / 1000 * speed));
      }
      await reporter.event(event);
    },
  };
}

/** The meaning of the keys in {@link paceByKeys}. */
export const keyHelp: Text = {
  en: "[any key] next event   [c] run on without stopping   [q] quit",
  zh: "[任意键] 下一个事件   [c] 不再停顿   [q] 退出",
};

/**
 * Returns a reporter that waits for a key after each event; see {@link keyHelp}.
 *
 * @param redraw called before the wait, so that the event is visible
 * @throws {BargeError} `usage` without a terminal
 */
export function paceByKeys(
  reporter: Reporter,
  redraw: () => void,
  signal: AbortSignal,
): Reporter & Disposable {
  if (!terminal.stdin || !terminal.stdout) {
    const hint = "leave it out, or use --speed";
    throw new BargeError("usage", "--step needs a terminal", { op: "demo", hint });
  }
  // With cbreak, Ctrl-C still sends a signal.
  Deno.stdin.setRaw(true, { cbreak: true });
  const restore = () => Deno.stdin.setRaw(false);
  globalThis.addEventListener("unload", restore);
  const buffer = new Uint8Array(16);
  const keys: string[] = [];
  let waits = true;
  return {
    ...reporterOf(reporter),
    async event(event) {
      await reporter.event(event);
      if (!waits) return;
      redraw();
      if (keys.length === 0) {
        const length = await orAborted(Deno.stdin.read(buffer), signal);
        if (length === null) throw new BargeError("interrupted", "standard input ended");
        const text = String.fromCharCode(...buffer.subarray(0, length));
        // Several characters are keys that were typed ahead, unless they are one arrow key.
        keys.push(...(text.startsWith("\x1b") ? ["\x1b"] : text));
      }
      const key = keys.shift();
      if (key === "q") throw new BargeError("interrupted", "ended by a key");
      waits = key !== "c";
    },
    [Symbol.dispose]() {
      globalThis.removeEventListener("unload", restore);
      restore();
    },
  };
}

/** Returns the methods of a reporter, bound to it. */
function reporterOf(reporter: Reporter): Reporter {
  return {
    partStarts: (start) => reporter.partStarts(start),
    event: (event) => reporter.event(event),
    drawing: (part, drawing) => reporter.drawing(part, drawing),
  };
}

async function sleep(ms: number, signal: AbortSignal): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const time = new Promise<void>((resolve) => timer = setTimeout(resolve, ms));
  try {
    await orAborted(time, signal);
  } finally {
    clearTimeout(timer);
  }
}

/** @throws the signal's reason, if it is aborted first */
async function orAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  const aborted = Promise.withResolvers<never>();
  const stop = () => aborted.reject(signal.reason);
  signal.addEventListener("abort", stop);
  try {
    return await Promise.race([promise, aborted.promise]);
  } finally {
    signal.removeEventListener("abort", stop);
  }
}
