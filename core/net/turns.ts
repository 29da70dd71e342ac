/**
 * Fair turns for many connections in one isolate.
 *
 * The runtime lets 128 reads succeed each time that it looks for what is ready, and looks at what has
 * just arrived before what it had to put off. With some hundreds of busy connections that read again
 * as soon as they have answered, the same 128 come first each time, and others wait for half a second
 * (measured: 500 connections, p99.9 500 ms, the worst-served with a tenth of the mean).
 *
 * So whoever was served stands back. At the end of a turn of the event loop in which few were served
 * all of them go on at once: the runtime put nobody off. After a full turn they wait for a timer, since
 * only that lets the runtime sleep and then serve who was put off; until a turn was not full. Each is
 * served once before any is served twice.
 *
 *   idle -> turn (setImmediate) -> idle
 *                \-> full -> (timer) -> turn
 */

/** So many served in a turn mean that others may have been put off: less than 128, by some. */
const full = 100;

export class Turns<T> {
  readonly #go: (who: T) => void;
  #back: T[] = [];
  #served = 0;
  #planned = false;

  /** @param go lets one go on; throws nothing */
  constructor(go: (who: T) => void) {
    this.#go = go;
  }

  /** Whoever is named here was served, and goes on when it is its turn again. */
  served(who: T): void {
    this.#served++;
    this.#back.push(who);
    if (this.#planned) return;
    this.#planned = true;
    setImmediate(this.#turn);
  }

  readonly #turn = (): void => {
    const served = this.#served;
    this.#served = 0;
    if (served >= full) {
      setTimeout(this.#turn, 0);
      return;
    }
    this.#planned = false;
    const back = this.#back;
    this.#back = [];
    for (const who of back) this.#go(who);
  };
}
