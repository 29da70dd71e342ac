/** The limits of the events that wait for a target, and the events beyond them. */
import { counted } from "../counted.ts";
import { dayMs } from "../duration.ts";
import { isByStranger } from "../storage/event_facts.ts";
import type { WaitingEvent } from "../storage/events.ts";

/** The share of the waiting events that clients without a login may cause. */
const strangersShare = 0.1;

export interface EventLimits {
  /** The most events that wait for a target. */
  readonly maxEvents: number;
  /** The longest time that an event waits, in ms. */
  readonly maxAgeMs: number;
}

/**
 * Returns the events to drop, with the reasons: those that are too old, then the oldest of too many.
 *
 * @param waiting the oldest first
 * @param now milliseconds since 1970
 *
 * @example
 * ```ts
 * import { beyondLimits } from "./limits.ts";
 * const waiting = [1, 2, 3, 4].map((at) => ({ at, places: [`homes/anna/${at}`] }));
 * const dropped = beyondLimits(waiting, { maxEvents: 2, maxAgeMs: 8 }, 10);
 * if (dropped.map(({ events }) => events.map(({ at }) => at).join()).join("; ") !== "1; 2") throw new Error();
 * ```
 */
export function beyondLimits<T extends Pick<WaitingEvent, "at" | "places">>(
  waiting: readonly T[],
  { maxEvents, maxAgeMs }: EventLimits,
  now: number = Date.now(),
): { readonly events: readonly T[]; readonly why: string }[] {
  const isOld = ({ at }: T) => at < now - maxAgeMs;
  const young = waiting.filter((event) => !isOld(event));
  const strangers = young.filter(({ places }) => isByStranger(places));
  const byStrangers = oldestBeyond(strangers, Math.floor(maxEvents * strangersShare));
  const excess = new Set(byStrangers);
  const tooMany = oldestBeyond(young.filter((event) => !excess.has(event)), maxEvents);
  return [
    {
      events: waiting.filter(isOld),
      why: `older than ${counted(Math.round(maxAgeMs / dayMs), "day")}`,
    },
    { events: byStrangers, why: "too many of failed logins and bans" },
    { events: tooMany, why: `more than ${maxEvents} wait` },
  ].filter(({ events }) => events.length > 0);
}

function oldestBeyond<T>(events: readonly T[], max: number): readonly T[] {
  return events.slice(0, Math.max(0, events.length - max));
}
