/**
 * Plays an act: real threads on real primitives, and yet the same from the same seed.
 *
 * How both can be: an agent (a worker, or an async task) does one step at a time, when the director
 * gives it its turn, and whose turn it is next is drawn from a seeded generator. What a step comes
 * to is not the director's to say: the agent tries to take the real lock, and, where it can't, waits
 * at it in earnest; who is let go on, and in which order, the primitive decides alone. The director
 * learns of it, and waits until all stand still before the next turn.
 *
 * All stand still when nobody is going, and each blocked agent has a waiting slot at a primitive
 * (core/sync/waiting.ts), so that none of them has been granted anything that it is about to tell;
 * and each lock is locked if and only if somebody has told that it has it. (Who waits at a condition
 * is there before its lock is free.)
 *
 * Time is the act's own: a step takes {@link tick} seconds, and when nobody can take one, the clock
 * jumps to the first sleeper's end, or the first timeout. So sleeps cost no time, unless the audience
 * takes some to watch.
 *
 * Invariants:
 * - At most one agent has a turn; others only go on from a wait that its step ended, up to their
 *   next step, and touch no primitive there but a condition's lock. (So a role notifies one at a
 *   time: of several that were notified at once, the system would say who is first at the lock.)
 * - Deeds are recorded in one order: first of who had the turn, then of those it let go, as they
 *   were started.
 *
 * - Once a worker has been cut off while it waited, nobody waits in that act any more but in joins:
 *   the slot of the dead one stays.
 *
 * What can go wrong: a role throws (the act fails with it); everybody waits (see {@link Stuck}); a
 * worker dies (reported as its failure); the audience has gone (the signal).
 */
import { Lock, RLock, waiting } from "../../sync/mod.ts";
import type { Deed, DemoEvent } from "../trace.ts";
import { circle, type Wait } from "./wait_graph.ts";
import type { Reins, Report, State } from "./protocol.ts";
import { letGo, type Prop } from "./primitives.ts";
import type { Random } from "./random.ts";
import { type Name, say } from "../text.ts";

/** How long a step takes, in seconds of the act's clock. */
const tick = 0.01;
/** When agents stand still for so long, and yet don't, something is wrong. Milliseconds. */
const patience = 120_000;

export interface DirectorOptions {
  readonly random: Random;
  readonly signal: AbortSignal;
  readonly tick?: number;
  readonly happens: (event: Omit<DemoEvent, "act">) => Promise<void> | void;
}

interface Actor {
  readonly id: number;
  readonly name: Name;
  readonly daemon: boolean;
  reins: Reins | undefined;
  deeds: Deed[];
  /** Undefined: going. */
  state: State | undefined;
  /** When its sleep or timeout ends. */
  until: number;
  readonly has: string[];
}

export class Director {
  readonly #options: DirectorOptions;
  readonly #actors: Actor[] = [];
  readonly #watched = new Set<Prop>();
  readonly #tick: number;
  #clock = 0;
  #cut = false;
  #woken: (() => void) | undefined;

  constructor(options: DirectorOptions) {
    this.#options = options;
    this.#tick = options.tick ?? tick;
  }

  /** Has a primitive that agents may wait at. */
  watch(prop: Prop): void {
    this.#watched.add(prop);
  }

  /** A lane for an agent, which is going from now on. @returns its number, and where it reports */
  cast(name: Name, daemon = false): { id: number; reports(report: Report): void } {
    const actor: Actor = {
      ...{ id: this.#actors.length, name, daemon, reins: undefined, until: Infinity, has: [] },
      deeds: [{ what: "starts" }],
      state: undefined,
    };
    this.#actors.push(actor);
    const reports = ({ deeds, state }: Report) => {
      actor.deeds.push(...deeds);
      actor.state = state;
      const seconds = "seconds" in state ? state.seconds : undefined;
      actor.until = seconds === undefined ? Infinity : this.#clock + seconds;
      this.#woken?.();
    };
    return { id: actor.id, reports };
  }

  /** How to reach an agent. */
  rein(id: number, reins: Reins): void {
    this.#actors[id]!.reins = reins;
  }

  isAlive(id: number): boolean {
    return this.#actors[id]!.state?.is !== "over";
  }

  /** Returns the names of the agents that have not ended, in the order of their start. */
  enumerate(): Name[] {
    return this.#actors.filter(({ id }) => this.isAlive(id)).map(({ name }) => name);
  }

  result(id: number): unknown {
    const { state } = this.#actors[id]!;
    return state?.is === "over" ? state.result : undefined;
  }

  /** Ends agents, whatever they do. */
  cut(ids: readonly number[]): void {
    for (const id of ids) {
      const actor = this.#actors[id]!;
      if (actor.state?.is === "over") continue;
      this.#cut = true;
      actor.reins?.cut();
      actor.deeds.push({ what: "ends", text: { en: "is cut off", zh: "被中断" } });
      actor.state = { is: "over" };
    }
  }

  /** Who waits for what, and who has it. */
  waits(): Wait[] {
    return this.#actors.flatMap(({ name, state }) => {
      if (state?.is !== "blocked") return [];
      const holders = this.#actors.filter(({ has }) => has.includes(state.on));
      return [{ who: name, for: state.on, heldBy: holders.map((holder) => holder.name) }];
    });
  }

  /**
   * Plays until the first agent, and all that are no daemons, have ended; then cuts the daemons.
   *
   * @throws Error with what a role threw; Stuck; the signal's reason
   */
  async play(): Promise<void> {
    let last = 0;
    for (;;) {
      await this.#stillness();
      await this.#record(last);
      if (this.#actors.every(({ id, daemon }) => daemon || !this.isAlive(id))) break;
      const ready = this.#actors.filter(({ state }) => state?.is === "paused");
      if (ready.length === 0) {
        last = this.#nextMoment();
        continue;
      }
      const actor = ready[this.#options.random.below(ready.length)]!;
      last = actor.id;
      this.#clock += this.#tick;
      actor.state = undefined;
      actor.reins!.go();
    }
    this.cutAll();
    await this.#record(0);
  }

  /** Ends all that have not. */
  cutAll(): void {
    this.cut(this.#actors.map(({ id }) => id));
    if (this.#cut) { for (const { it } of this.#watched) letGo(it); }
  }

  /** Nobody can take a step: lets time pass. @returns whose time has come */
  #nextMoment(): number {
    const next = Math.min(...this.#actors.map(({ until }) => until));
    const joiners = this.#actors.filter(({ state }) => state?.is === "joining");
    if (next === Infinity) {
      if (joiners.length === 0) throw new Stuck(this.waits());
      for (const joiner of joiners) joiner.state = { is: "paused" };
      return joiners[0]!.id;
    }
    this.#clock = Math.max(this.#clock, next);
    const due = this.#actors.filter(({ until }) => until === next);
    for (const actor of due) {
      actor.until = Infinity;
      if (actor.state?.is === "blocked") {
        actor.state = undefined;
        actor.reins!.timeUp();
      } else actor.state = { is: "paused" };
    }
    return due[0]!.id;
  }

  /** Waits until everybody stands still; who joined agents that have all ended may go on. */
  async #stillness(): Promise<void> {
    const since = performance.now();
    while (!this.#still()) {
      this.#options.signal.throwIfAborted();
      if (performance.now() - since > patience) throw new Error("the agents did not come to rest");
      await this.#news();
    }
    for (const actor of this.#actors) {
      if (actor.state?.is === "over" && actor.state.error !== undefined) {
        throw new Error(`${say(actor.name, "en")}: ${actor.state.error}`);
      }
      if (actor.state?.is !== "joining") continue;
      if (!actor.state.whom.every((id) => !this.isAlive(id))) continue;
      actor.state = { is: "paused" };
      actor.until = Infinity;
    }
  }

  #still(): boolean {
    if (this.#actors.some(({ state }) => state === undefined)) return false;
    const blocked = this.#actors.filter(({ state }) => state?.is === "blocked").length;
    if (blocked === 0) return true;
    let slots = 0;
    for (const { label, it } of this.#watched) {
      slots += waiting(it.handle);
      if ((it instanceof Lock || it instanceof RLock) && it.locked() !== this.#isHeld(label)) {
        return false;
      }
    }
    return slots === blocked;
  }

  /** Has somebody told that they have it, and not yet that they gave it back? */
  #isHeld(label: string): boolean {
    return this.#actors.some(({ has, deeds }) => {
      let n = has.filter((each) => each === label).length;
      for (const { what, of } of deeds) {
        if (of === label) n += what === "holds" ? 1 : what === "releases" ? -1 : 0;
      }
      return n > 0;
    });
  }

  /** The next report; or a moment later, as nobody reports that it has begun to wait. */
  async #news(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, 1);
    this.#woken = resolve;
    await promise;
    this.#woken = undefined;
    clearTimeout(timer);
  }

  async #record(first: number): Promise<void> {
    const order = this.#actors.toSorted((a, b) =>
      Number(b.id === first) - Number(a.id === first) || a.id - b.id
    );
    for (const actor of order) {
      const deeds = actor.deeds;
      actor.deeds = [];
      for (const deed of deeds) {
        if (deed.what === "holds") actor.has.push(deed.of as string);
        if (deed.what === "releases") actor.has.splice(actor.has.lastIndexOf(deed.of as string), 1);
        await this.#options.happens({ t: this.#clock, lane: actor.name, ...deed });
      }
    }
    this.#options.signal.throwIfAborted();
  }
}

/** Everybody waits for what nobody will give. */
export class Stuck extends Error {
  constructor(readonly waits: readonly Wait[]) {
    const names = waits.map(({ who, for: what }) => `${say(who, "en")} for ${what}`).join(", ");
    super(circle(waits) ? `a deadlock: ${names}` : `nobody can go on: ${names}`);
  }
}
