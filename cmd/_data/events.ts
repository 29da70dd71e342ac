/** Opens the events of a data directory, or of storage that many machines share. */
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
