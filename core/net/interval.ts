/**
 * Calls a function at intervals. The first call waits by an abort signal, since timers are slow to load: a
 * command that ends before it needs none.
 *
 * @param ms the interval, in milliseconds
 * @returns ends the calls when it is disposed of
 */
export function startInterval(fn: () => void, ms: number): Disposable {
  let timer: ReturnType<typeof setInterval> | undefined;
  const first = AbortSignal.timeout(ms);
  const begin = () => {
    timer = setInterval(fn, ms);
    fn();
  };
  first.addEventListener("abort", begin);
  return {
    [Symbol.dispose]() {
      first.removeEventListener("abort", begin);
      if (timer !== undefined) clearInterval(timer);
    },
  };
}
