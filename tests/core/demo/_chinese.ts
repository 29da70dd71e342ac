/** Finds English in what a lesson says in Chinese: words that are no names from code. */
import { spoken } from "../../../core/demo/trace.ts";
import type { Lesson } from "../../../core/demo/lesson.ts";
import { svg } from "../../../core/demo/picture/svg.ts";
import { chart, draw, legend } from "../../../core/demo/picture/timeline.ts";
import { clocks, described } from "../../../core/demo/picture/phrases.ts";
import type { Seen } from "./_record.ts";

/** Names that Chinese texts on this subject leave as they are. */
const names = new Set(
  `TCP UDP GIL PID SQL CPU URL MySQL Redis Python JavaScript CPython barge PROTOCOL md
  main mysql redis svg gevent greenlet socketserver BaseServer BaseRequestHandler poll epoll
  async await yield send next time sleep import from with true false null
  Worker Lock RLock Queue LifoQueue PriorityQueue SharedArrayBuffer Int32Array BrokenBarrierError
  RangeError Full Empty acquire release join put get set clear wait notify abort cancel run
  enumerate isSet qsize empty full block patch_all unfinished_tasks _put _get _init
  seed json host port clients select mutex notEmpty notFull allTasksDone
  queue stack tasks tuples lock handle new postMessage accept while if taskDone task_done`.split(
    /\s+/,
  ),
);

/** Words of Latin letters in a text that are neither such names nor in the lesson's code. */
export function englishIn(text: string, code: ReadonlySet<string>): string[] {
  // Calls, such as next(value), and options are code.
  const prose = text.replace(/[\w.]+\([\w, ]*\)|--[a-z-]+/g, " ");
  const words = prose.match(/[A-Za-z_][A-Za-z_0-9]*/g) ?? [];
  return words.filter((word) => {
    const name = names.has(word) || names.has(word.toLowerCase()) || code.has(word);
    // Letters that a lesson sends around: t1, x2, abcd.
    const data = /^[A-Za-z]{1,2}\d*$/.test(word) || "abcdefghij".includes(word);
    return !name && !data;
  });
}

/** The names in the code of a lesson, without its comments; and those of what its threads wait for. */
export function namesIn({ code }: Pick<Lesson, "code">, acts: readonly Seen[] = []): Set<string> {
  const bare = code.zh.replace(/(?:\/\/|--) .*$/gm, "");
  const things = acts.flatMap(({ events }) => events.map(({ of }) => of));
  return new Set([
    ...bare.match(/[A-Za-z_][A-Za-z_0-9]*/g) ?? [],
    ...things.filter((of) => typeof of === "string"),
  ]);
}

/** All that a terminal, a pipe and an SVG file say of acts, in Chinese. */
export function said(acts: readonly Seen[]): string[] {
  const lines: string[] = [];
  const played = acts.map(({ begins: { title, clock }, events, drawing }) => {
    const chinese = events.map((event) => spoken(event, "zh"));
    const read = chart(chinese);
    lines.push(title.zh, clocks[clock].zh, ...drawing.map((line) => line.zh));
    lines.push(...chinese.map((event) => `${event.lane} ${described(event, "zh")}`));
    lines.push(...read.lanes.map(({ name }) => name), ...legend(read, "zh"));
    // Of a picture with many lanes, the line that says how many are left out.
    lines.push(...draw(read, 0, { rows: 3, lang: "zh" }));
    return { title: title.zh, clock, events: chinese, drawing };
  });
  const picture = svg("", played, "", "zh");
  lines.push(...Array.from(picture.matchAll(/>([^<>\n]+)</g), ([, text]) => entities(text!)));
  return lines;
}

function entities(text: string): string {
  return text.replace(/&#(\d+);/g, (_, code) => String.fromCharCode(Number(code)));
}
