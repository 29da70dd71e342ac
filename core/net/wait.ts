/** Waits so many ms. @throws why `ended` was aborted, as soon as it is */
export function wait(ms: number, ended: AbortSignal): Promise<void> {
  ended.throwIfAborted();
  return new Promise((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer);
      reject(ended.reason);
    };
    const timer = setTimeout(() => {
      ended.removeEventListener("abort", stop);
      resolve();
    }, ms);
    ended.addEventListener("abort", stop, { once: true });
  });
}
