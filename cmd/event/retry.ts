/** `barge event retry`: delivers failed events now. */
import { changeEvents, eventsCommand, targetOption } from "../_data/events.ts";
import { args } from "../_term/command.ts";
import { note, printJson } from "../_term/out.ts";
import { counted } from "../_term/progress.ts";
import { count } from "../_term/value.ts";

export default eventsCommand({
  options: {
    ids: args(count("ID", 1, Number.MAX_SAFE_INTEGER), "Events that `barge event list` shows", 0),
    ...targetOption,
  },
  about:
    `Makes events that a target did not take due at once, and ends the pause of the target: those
    with the given ids, or all. A running server tries them within seconds, in order for each path.
    An id that no event has is exit code 4; the other events are tried.`,
  examples: [
    ["barge event retry", "try all failed events again, now that the receiver is back"],
    ["barge event retry --target on-commit", "the same for the program only"],
  ],
  async run({ ids, target, json }, events) {
    await changeEvents(events, ids, {
      change: () =>
        events.retry({
          ids: ids.length > 0 ? ids : undefined,
          target,
          failing: ids.length === 0,
        }),
      show(retried) {
        if (json) printJson({ retried });
        else note(`${counted(retried, "event")} due now`);
      },
    });
  },
});
