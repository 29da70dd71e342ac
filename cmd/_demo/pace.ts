/** How fast a lesson goes on: with a clock, at the press of a key, or as fast as it can. */
import { BargeError } from "../../core/error.ts";
import type { ActBegins, Audience, DemoEvent } from "../../core/demo/trace.ts";
import type { Text } from "../../core/demo/text.ts";
import { terminal } from "../_term/out.ts";

/** While nothing happens, time is seen to pass so often. Milliseconds. */
const every = 80;

/**
 * Slows an audience down to the act's clock.
 *
 * @param speed how many times as fast as that
 * @param passes called with the time of the lesson while no event happens
 */
export function paced(
  audience: Audience,
  speed: number,
  passes: (t: number) => void,
  signal: AbortSignal,
): Audience {
  let began = 0;
  let live = false;
  return {
    begins(act: ActBegins) {
      began = performance.now();
      live = act.live;
      return audience.begins(act);
    },
    async happens(event: DemoEvent) {
      const due = began + event.t * 1000 / speed;
      // What is played in real time has taken its time already.
      for (let left; !live && (left = due - performance.now()) > 1;) {
        await wait(Math.min(left, every), signal);
        passes(Math.min(event.t, (performance.now() - began) / 1000 * speed));
      }
      await audience.happens(event);
    },
    draws: (act, drawing) => audience.draws(act, drawing),
  };
}

/** The meaning of keys in {@link stepped}. */
export const keys: Text = {
  en: "[any key] next event   [c] run on without stopping   [q] quit",
  zh: "[任意键] 下一个事件   [c] 不再停顿   [q] 退出",
};

/** Lets one event pass for each key; see {@link keys}. */
export function stepped(
  audience: Audience,
  shown: () => void,
  signal: AbortSignal,
): Audience & Disposable {
  if (!terminal.stdin || !terminal.stdout) {
    throw new BargeError("usage", "--step needs a terminal", {
      op: "demo",
      hint: "leave it out, or use --speed",
    });
  }
  // Ctrl-C stays a signal.
  Deno.stdin.setRaw(true, { cbreak: true });
  const restore = () => Deno.stdin.setRaw(false);
  globalThis.addEventListener("unload", restore);
  const key = new Uint8Array(16);
  const pressed: string[] = [];
  let runsOn = false;
  return {
    begins: (act) => audience.begins(act),
    draws: (act, drawing) => audience.draws(act, drawing),
    async happens(event) {
      await audience.happens(event);
      if (runsOn) return;
      shown();
      if (pressed.length === 0) {
        const read = await until(Deno.stdin.read(key), signal);
        if (read === null) throw new BargeError("interrupted", "the input of keys ended");
        const keys = String.fromCharCode(...key.subarray(0, read));
        // Keys that were typed ahead count one by one. An arrow key is one key of several bytes.
        pressed.push(...(keys.startsWith("\x1b") ? ["\x1b"] : keys));
      }
      const next = pressed.shift();
      if (next === "q") throw new BargeError("interrupted", "ended by a key");
      runsOn = next === "c";
    },
    [Symbol.dispose]() {
      globalThis.removeEventListener("unload", restore);
      restore();
    },
  };
}

async function wait(ms: number, signal: AbortSignal): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const time = new Promise<void>((resolve) => timer = setTimeout(resolve, ms));
  try {
    await until(time, signal);
  } finally {
    clearTimeout(timer);
  }
}

/** @throws the signal's reason, when it is aborted before */
async function until<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
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
