import assert from "node:assert/strict";
import { drawSvg } from "../../../core/demo/picture/svg.ts";
import { buildChart, drawChart, legendEntries } from "../../../core/demo/picture/timeline.ts";
import type { TranslatedEvent } from "../../../core/demo/trace.ts";

const event = (
  t: number,
  lane: string,
  what: TranslatedEvent["what"],
  of?: string,
): TranslatedEvent => ({ part: 1, t, lane, what, of });
const events = [
  event(0, "t1", "starts"),
  event(1, "t1", "holds", "A<B"),
  event(2, "t2", "starts"),
  event(2, "t2", "waits", "A<B"),
  event(3, "t1", "sleeps"),
  event(4, "t1", "releases", "A<B"),
  event(4, "t2", "holds", "A<B"),
  event(8, "t2", "ends"),
  event(8, "t1", "ends"),
];

Deno.test("a timeline shows which threads run, sleep, hold and wait", () => {
  const chart = buildChart(events);
  assert.deepEqual(drawChart(chart, 8), ["t1  ─AAA────", "t2    aaAAAA"]);
  assert.deepEqual(legendEntries(chart, "en"), [
    "─ runs",
    "~ sleeps",
    "A has A<B",
    "a waits for A<B",
    "A~ both at once",
  ]);
  const many = Array.from({ length: 9 }, (_, i) => event(i, `t${i}`, "starts"));
  const lines = drawChart(buildChart(many), 10, { rows: 4 });
  assert.equal(lines.length, 4);
  assert.match(lines[2]!, /\(6 more\)/);
});

Deno.test("an SVG is well-formed with any characters in its names", () => {
  const drawing = [{ en: "x --> y", zh: "x --> y" }];
  const parts = [{ title: 'a "b"', clock: "staged", events, drawing }] as const;
  const text = drawSvg("<&>", parts, "ok & done", "en");
  assert.doesNotMatch(text, /<&>|A<B|& done|--> y/);
  assert.match(text, /has A&#60;B/);
  const open = text.match(/<[a-z](?:[^>]*[^/>])?>/g)!.length;
  assert.equal(text.match(/<\/[a-z]+>/g)!.length, open);
});
