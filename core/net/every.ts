/**
 * Does something again and again. A program that ends by itself ends when it is not to be done any more,
 * up to one time later.
 *
 * In place of `setInterval`, at whose first use the runtime loads Node's timers: 8 ms of every
 * start, of a client that is done before the first second is over.
 *
 * @param ms between two times
 * @param step returns whether to go on
 */
export function every(ms: number, step: () => boolean): void {
  const next = () => {
    let goOn = true;
    try {
      goOn = step();
    } finally {
      if (goOn) every(ms, step);
    }
  };
  AbortSignal.timeout(ms).addEventListener("abort", next, { once: true });
}
