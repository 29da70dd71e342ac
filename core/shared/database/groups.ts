/** Groups of items that wait at the same time, so that one transaction serves many of them. */
import { BargeError, typed } from "../../error.ts";
import { type Place, relative } from "../../storage/place.ts";

/** The most items of one group. */
const maxItems = 128;
/** The groups that are under way at the same time. */
const maxGroups = 2;

export interface GroupOptions<Item, Result> {
  /** Returns the place that an item writes: a group has no two items of one place. */
  readonly placeOf: (item: Item) => Place;
  /** Returns the size of an item, in bytes. Default: 0. */
  readonly sizeOf?: (item: Item) => number;
  /** The most bytes of a group with several items. Default: unlimited. */
  readonly maxBytes?: number;
  /** Serves a group. @returns the outcome of each item, in their order */
  readonly run: (group: readonly Item[]) => Promise<readonly (Result | BargeError)[]>;
}

interface Waiting<Item, Result> {
  readonly item: Item;
  readonly resolve: (result: Result) => void;
  readonly reject: (error: unknown) => void;
}

export class Groups<Item, Result> {
  readonly #options: GroupOptions<Item, Result>;
  readonly #waiting: Waiting<Item, Result>[] = [];
  #running = 0;

  constructor(options: GroupOptions<Item, Result>) {
    this.#options = options;
  }

  /** Serves an item, with others in one group. @throws the error of the item, or that of its whole group */
  add(item: Item): Promise<Result> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ item, resolve, reject });
      queueMicrotask(() => this.#next());
    });
  }

  #next(): void {
    while (this.#running < maxGroups && this.#waiting.length > 0) {
      this.#running++;
      this.#serve(this.#take()).finally(() => {
        this.#running--;
        this.#next();
      });
    }
  }

  #take(): Waiting<Item, Result>[] {
    const { placeOf, sizeOf = () => 0, maxBytes = Infinity } = this.#options;
    const group: Waiting<Item, Result>[] = [];
    const places = new Set<string>();
    let bytes = 0;
    while (this.#waiting.length > 0 && group.length < maxItems) {
      const [{ item }] = this.#waiting;
      const place = relative(placeOf(item));
      bytes += sizeOf(item);
      if (places.has(place) || group.length > 0 && bytes > maxBytes) break;
      places.add(place);
      group.push(this.#waiting.shift()!);
    }
    return group;
  }

  async #serve(group: readonly Waiting<Item, Result>[]): Promise<void> {
    try {
      const outcomes = await this.#options.run(group.map(({ item }) => item));
      for (const [i, { resolve, reject }] of group.entries()) {
        const outcome = outcomes[i];
        if (outcome instanceof BargeError) reject(outcome);
        else resolve(outcome);
      }
    } catch (error) {
      for (const { reject } of group) reject(typed(error));
    }
  }
}
