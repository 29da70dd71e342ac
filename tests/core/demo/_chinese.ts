/** Finds English words in the Chinese texts of a lesson, other than names from code. */
import { codeText, type Lesson } from "../../../core/demo/lesson.ts";
import { clockCaptions, describeEvent } from "../../../core/demo/picture/phrases.ts";
import { drawSvg } from "../../../core/demo/picture/svg.ts";
import { buildChart, drawChart, legendEntries } from "../../../core/demo/picture/timeline.ts";
import { translate } from "../../../core/demo/trace.ts";
import type { Part } from "./_record.ts";

/** Names that Chinese texts on this subject do not translate. */
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

/** Returns the words of Latin letters that are neither such names nor in the lesson's code. */
export function englishIn(text: string, code: ReadonlySet<string>): string[] {
  // Calls, such as next(value), and options are code.
  const prose = text.replace(/[\w.]+\([\w, ]*\)|--[a-z-]+/g, " ");
  const words = prose.match(/[A-Za-z_][A-Za-z_0-9]*/g) ?? [];
  return words.filter((word) => {
    const isName = names.has(word) || names.has(word.toLowerCase()) || code.has(word);
    // Data that lessons send: t1, x2, abcd.
    const isData = /^[A-Za-z]{1,2}\d*$/.test(word) || "abcdefghij".includes(word);
    return !isName && !isData;
  });
}

/** Returns the names in a lesson's code, without its comments, and the names of its objects. */
export function namesIn(
  lesson: Pick<Lesson, "code">,
  parts: readonly Part[] = [],
): Set<string> {
  const withoutComments = codeText(lesson.code).zh.replace(/(?:\/\/|--) .*$/gm, "");
  const objects = parts.flatMap(({ events }) => events.map(({ of }) => of));
  return new Set([
    ...withoutComments.match(/[A-Za-z_][A-Za-z_0-9]*/g) ?? [],
    ...objects.filter((of) => typeof of === "string"),
  ]);
}

/** Returns the Chinese texts that a terminal, a pipe and an SVG file show of parts. */
export function chineseTexts(parts: readonly Part[]): string[] {
  const texts: string[] = [];
  const recorded = parts.map(({ start: { title, clock }, events, drawing }) => {
    const chinese = events.map((event) => translate(event, "zh"));
    const chart = buildChart(chinese);
    texts.push(title.zh, clockCaptions[clock].zh, ...drawing.map((line) => line.zh));
    texts.push(...chinese.map((event) => `${event.lane} ${describeEvent(event, "zh")}`));
    texts.push(...chart.lanes.map(({ name }) => name), ...legendEntries(chart, "zh"));
    // With few rows, one line has the number of omitted lanes.
    texts.push(...drawChart(chart, 0, { rows: 3, lang: "zh" }));
    return { title: title.zh, clock, events: chinese, drawing };
  });
  const svg = drawSvg("", recorded, "", "zh");
  texts.push(...Array.from(svg.matchAll(/>([^<>\n]+)</g), ([, text]) => decodeEntities(text!)));
  return texts;
}

function decodeEntities(text: string): string {
  return text.replace(/&#(\d+);/g, (_, code) => String.fromCharCode(Number(code)));
}
