/**
 * Does something again and again, without keeping the program alive.
 *
 * In place of `setInterval`, at whose first use the runtime loads Node's timers: 8 ms of every
 * start, of a client that is done before the first second is over.
 *
 * @param ms between two times
 * @param step returns whether to go on
 */
export function every(ms: number, step: () => boolean): void {
  const next = () => {
    if (step()) every(ms, step);
  };
  AbortSignal.timeout(ms).addEventListener("abort", next, { once: true });
}
