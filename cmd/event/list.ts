/** `barge event list`: the events that wait for their delivery. */
import { eventFields, eventsCommand, targetOption } from "../_data/events.ts";
import { flag, valueOr } from "../_term/command.ts";
import { note, printJson } from "../_term/out.ts";
import { counted } from "../_term/progress.ts";
import { minute, printTable } from "../_term/table.ts";
import { count } from "../_term/value.ts";

export default eventsCommand({
  options: {
    failing: flag("Only events that a target did not take"),
    ...targetOption,
    limit: valueOr(count("N"), 1000, "List at most this many, the oldest. Default: 1000"),
  },
  about:
    `Lists the events that wait for the program of \`barge serve --on-commit\`, or for a --webhook,
    the oldest first: attempts that failed, the time of the next one, and the reason of the last
    failure. An event waits also while an earlier one on the same path, above it or below it does.

    With --json it prints one object a line: id, target, at, attempts, due, error, facts.`,
  examples: [
    ["barge event list --failing", "show what was not taken, and why"],
    ["barge event list --json | jq -r .facts.path", "print the paths of all waiting events"],
  ],
  async run({ failing, target, limit, json }, events) {
    const found = await events.list({ failing, target }, limit);
    const rows = found.map((event) => ({ ...eventFields(event), dueInMs: event.dueInMs }));
    if (json) return rows.forEach(({ dueInMs: _, ...fields }) => printJson(fields));
    const lines = rows.map(({ id, target, at, attempts, due, error, facts }) => [
      String(id),
      target,
      minute(Date.parse(at)),
      facts.event,
      String(facts.path ?? facts.account ?? facts.address ?? ""),
      String(attempts),
      due === null ? "now" : minute(Date.parse(due)),
      error ?? "",
    ]);
    const head = ["ID", "TARGET", "TIME", "EVENT", "ABOUT", "ATTEMPTS", "NEXT", "ERROR"];
    printTable(head, lines, [0, 5]);
    if (found.length === limit) note(`only the oldest ${counted(limit, "event")}; see --limit`);
  },
});
