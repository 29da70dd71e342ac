/** `barge demo`: lessons on threads, which run, draw and check themselves. */
import { lessons } from "../core/demo/catalog.ts";
import type { Lang } from "../core/demo/text.ts";
import { BargeError } from "../core/error.ts";
import type { ShowOptions } from "./_demo/run.ts";
import { args, command, flag, value, valueOr, values } from "./_term/command.ts";
import { otherCode } from "./_term/exit.ts";
import {
  address,
  count,
  oneOf,
  path,
  plain,
  seconds,
  type ValueParser,
  valueParser,
} from "./_term/value.ts";
import { note, print, printJson } from "./_term/out.ts";
import { didYouMean } from "./_term/similar.ts";

const all = "all";

export default command({
  options: {
    words: args(
      lessonName(),
      "The lesson, or `all`; without one, list them. URLs may follow `crawl`",
      0,
    ),
    seed: valueOr(count("N", 0, 999_999_999), 1, "The order of the threads' turns; default 1"),
    speed: value(
      valueParser("X", parseSpeed, "a number from 0.01 to 1000"),
      "Run X times as fast as the lesson's clock; default 1 on a terminal, else without delays",
    ),
    step: flag("Wait for a key after each event; c runs on, q quits"),
    kind: value(oneOf("worker", "task"), "The threads: workers, or async tasks of one isolate"),
    threads: value(count("N", 1, 1000), "The number of threads, if the lesson has no fixed one"),
    svg: value(path("FILE"), "Also write the picture to FILE"),
    explain: flag("Print the idea and the essential code, without a run"),
    lang: valueOr(oneOf("en", "zh"), "en", "The language of all output: English or Chinese"),
    waitFor: values(address(), "event: instead, wait until this service listens"),
    timeout: value(seconds(), "event --wait-for: seconds to wait; 0 tries once; default 15"),
    port: valueOr(
      count("PORT", 0, 65535),
      0,
      "The port of a lesson's server on 127.0.0.1; default: any free one",
    ),
  },
  usage: "[NAME|all] [URL...]",
  about: `Teaches concurrency. Each lesson starts real threads (workers, which block on shared
    memory), draws which of them run, sleep, hold something and wait for something, and checks
    itself: the exit code is 0 if it showed what it is meant to show, 1 if not.

    --seed determines the order of turns: a run with the same seed prints the same text into a pipe.
    The times in a picture are the lesson's own, or arranged to show an order, or measured; each
    picture says which. Measured figures go to standard error.

    \`demo event --wait-for HOST:PORT\` waits until a service listens there, and then prints one line
    on standard output; the exit code is 5 if none listens in time. It always tries at least once,
    so --timeout 0 tries each address exactly once.`,
  examples: [
    ["barge demo", "list the lessons"],
    ["barge demo deadlock", "watch threads get stuck, and four solutions"],
    ["barge demo lock --explain --lang zh", "the idea, in Chinese"],
    ["barge demo semaphore --svg semaphore.svg", "write the picture to a file"],
    ["barge demo event --wait-for db:3306 --timeout 60", "continue once the database listens"],
    ["barge demo all --json", "run all lessons; print events and verdicts as JSON"],
  ],
  async run({ words, explain: explainOnly, svg, waitFor, debug: _, ...values }, { signal }) {
    const [name, ...more] = words;
    if (name === undefined) return list(values.lang, values.json);
    if (name !== all && !Object.hasOwn(lessons, name)) throw unknownLesson(name);
    checkCombination(name, more, waitFor, svg);
    const names = name === all ? Object.keys(lessons) : [name];
    const { explain, runAndShow } = await import("./_demo/run.ts");
    if (explainOnly) {
      for (const [i, each] of names.entries()) {
        if (i > 0 && !values.json) print("");
        await explain(each, values.lang, values.json);
      }
      return;
    }
    const urls = more.map(parseUrl);
    const options: ShowOptions = { ...values, svg, waitFor, urls, signal, lenient: name === all };
    const { WorkerPool } = await import("../core/demo/runner/worker_pool.ts");
    using pool = new WorkerPool();
    const failed: string[] = [];
    for (const [i, each] of names.entries()) {
      if (i > 0 && !values.json) print("");
      if (!await runAndShow(each, pool, options)) failed.push(each);
    }
    if (names.length > 1 && !values.json) note(summarize(names.length, failed, values.lang));
    return failed.length > 0 ? otherCode : 0;
  },
});

function parseSpeed(text: string): number | undefined {
  const speed = /^\d{1,4}(\.\d{1,3})?$/.test(text) ? Number(text) : NaN;
  return speed >= 0.01 && speed <= 1000 ? speed : undefined;
}

/** Parses any word; shells complete the names of lessons. */
function lessonName(): ValueParser<string> {
  return { ...plain("NAME"), suggest: [...Object.keys(lessons), all] };
}

/** Returns the number of lessons that are ok, and the names of the others. */
function summarize(total: number, failed: readonly string[], lang: Lang): string {
  const ok = total - failed.length;
  const count = lang === "en" ? `${ok} of ${total} lessons are ok` : `${total} 课中通过了 ${ok} 课`;
  if (failed.length === 0) return count;
  return lang === "en"
    ? `${count}; not ok: ${failed.join(", ")}`
    : `${count}；未通过：${failed.join("、")}`;
}

function list(lang: Lang, json: boolean): void {
  const width = Math.max(...Object.keys(lessons).map((name) => name.length));
  for (const [lesson, brief] of Object.entries(lessons)) {
    if (json) printJson({ lesson, brief: brief[lang] });
    else print(`${lesson.padEnd(width)}  ${brief[lang]}`);
  }
}

/** Refuses arguments that do not fit the lesson. @throws {BargeError} `usage` */
function checkCombination(
  name: string,
  more: readonly string[],
  waitFor: readonly unknown[],
  svg: string | undefined,
): void {
  const refuse = (why: string, hint?: string) =>
    new BargeError("usage", why, { op: "demo", path: name, hint });
  if (more.length > 0 && name !== "crawl") {
    const why = `the lesson takes no argument ${JSON.stringify(more[0])}`;
    throw refuse(why, "only crawl takes URLs after its name");
  }
  if (waitFor.length > 0 && name !== "event") throw refuse("--wait-for is for event only");
  if (svg !== undefined && name === all) throw refuse("--svg draws a single lesson", "name one");
}

function parseUrl(text: string): URL {
  const url = URL.parse(text);
  if (url !== null && /^https?:$/.test(url.protocol)) return url;
  throw new BargeError("usage", `${JSON.stringify(text)} is not an http or https URL`, {
    op: "demo",
    path: "crawl",
  });
}

function unknownLesson(name: string): BargeError {
  const known = [...Object.keys(lessons), all];
  const list = "`barge demo` lists the lessons";
  const hint = didYouMean(name, known, list, (lesson) => `\`barge demo ${lesson}\``);
  return new BargeError("usage", "there is no such lesson", { op: "demo", path: name, hint });
}
