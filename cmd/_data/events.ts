/** Opens the events of a data directory, or of storage that many machines share. */
import { BargeError } from "../../core/error.ts";
import type { EventStore, ListedEvent } from "../../core/storage/events.ts";
import {
  command,
  type Common,
  type Context,
  type Declared,
  type Options,
  type Outcome,
  value,
} from "../_term/command.ts";
import { plain } from "../_term/value.ts";
import { accountsOptions, type AccountsValues, isShared, openStore } from "./accounts.ts";

/** The option that chooses a target, for all verbs on events. */
export const targetOption = {
  target: value(
    plain("NAME"),
    "Only the events for this target: `on-commit`, or that of a webhook",
  ),
};

/** Declares a verb that works on the events of a storage. */
export function eventsCommand<T>(
  { options, run, ...help }: Omit<Declared<T>, "run"> & {
    run(values: T & Common, events: EventStore, context: Context): Outcome;
  },
) {
  return command<T & AccountsValues>({
    ...help,
    options: { ...options, ...accountsOptions } as Options<T & AccountsValues>,
    async run(values, context) {
      if (isShared(values)) {
        const { openShared } = await import("./shared.ts");
        await using storage = await openShared(values);
        return await run(values, storage.events, context);
      }
      using store = await openStore(values.data);
      return await run(values, store.events, context);
    },
  });
}

/**
 * Makes a change of events, and prints the number of changed ones.
 *
 * @param ids the events that the command line names; none: it chooses them in another way
 * @throws {BargeError} `not-found` for ids that no event has, once the other events are changed; and if no event
 *   with one of the ids is changed
 */
export async function changeEvents(
  events: EventStore,
  ids: readonly number[],
  { change, show }: { change(): Promise<number>; show(changed: number): void },
): Promise<void> {
  const unknown: number[] = [];
  for (const id of ids) if (await events.facts(id) === undefined) unknown.push(id);
  const changed = await change();
  const missing = changed === 0 ? ids : unknown;
  if (missing.length === 0 || changed > 0) show(changed);
  if (missing.length === 0) return;
  throw new BargeError("not-found", "there is no such event", { path: missing.join(" ") });
}

/** An event as `--json` shows it. The fields are frozen. */
export function eventFields({ id, target, at, attempts, dueInMs, error, facts }: ListedEvent) {
  return {
    id,
    target,
    at: new Date(at).toISOString(),
    attempts,
    due: attempts > 0 && dueInMs > 0 ? new Date(Date.now() + dueInMs).toISOString() : null,
    error,
    facts: JSON.parse(facts),
  };
}
