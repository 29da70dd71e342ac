/** `barge event drop`: gives events up. */
import { BargeError } from "../../core/error.ts";
import { changeEvents, eventsCommand, targetOption } from "../_data/events.ts";
import { args, flag } from "../_term/command.ts";
import { note, printJson } from "../_term/out.ts";
import { counted } from "../_term/progress.ts";
import { count } from "../_term/value.ts";

export default eventsCommand({
  options: {
    ids: args(count("ID", 1, Number.MAX_SAFE_INTEGER), "Events that `barge event list` shows", 0),
    failing: flag("All events that a target did not take"),
    all: flag("All events that wait"),
    ...targetOption,
  },
  about:
    `Deletes events that nobody has taken: those with the given ids, the failing ones, or all. Later
    events on their paths are then delivered. An attempt that is under way is not stopped. An id that
    no event has is exit code 4; the other events are dropped.`,
  examples: [
    ["barge event drop 4711", "give one event up"],
    [
      "barge event drop --all --target old.example-1a2b3c4d",
      "those for a URL that is not used any more",
    ],
  ],
  async run({ ids, failing, all, target, json }, events) {
    const chosen = [ids.length > 0, failing, all].filter(Boolean).length;
    if (chosen !== 1) {
      throw new BargeError("usage", "choose events by their ids, or with --failing, or --all", {
        hint: "`barge event list` shows them",
      });
    }
    await changeEvents(events, ids, {
      change: () => events.drop({ ids: ids.length > 0 ? ids : undefined, target, failing }),
      show(dropped) {
        if (json) printJson({ dropped });
        else note(`dropped ${counted(dropped, "event")}`);
      },
    });
  },
});
