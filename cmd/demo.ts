/** `barge demo`: lessons about threads, which run, show, explain and check themselves. */
import { findSimilar } from "@optique/core/suggestion";
import type { ValueParser } from "@optique/core/valueparser";
import { BargeError } from "../core/error.ts";
import { lessons } from "../core/demo/catalog.ts";
import { command } from "./_term/command.ts";
import { otherCode } from "./_term/exit.ts";
import {
  addresses,
  argsOf,
  common,
  count,
  flag,
  oneOf,
  path,
  plain,
  seconds,
  value,
  valueOr,
  valueParser,
  values,
} from "./_term/options.ts";
import type { Lang } from "../core/demo/text.ts";
import { note, print, printJson } from "./_term/out.ts";
import type { ShowOptions } from "./_demo/play.ts";

const all = "all";

export default command({
  options: {
    words: argsOf(
      lessonName(),
      "The lesson, or `all`; none: list them. `crawl` takes URLs behind it",
      0,
    ),
    seed: valueOr(
      ["--seed"],
      count("N", 0, 999_999_999),
      1,
      "Decides the order of turns; default 1",
    ),
    speed: value(
      ["--speed"],
      valueParser("X", 1, (text) => {
        const x = /^\d{1,4}(\.\d{1,3})?$/.test(text) ? Number(text) : NaN;
        return x >= 0.01 && x <= 1000 ? x : undefined;
      }, { wanted: "a number from 0.01 to 1000" }),
      "How many times as fast as the lesson's clock; default 1 on a terminal, else no waiting",
    ),
    step: flag(["--step"], "One event for each key; c runs on, q ends"),
    kind: value(["--kind"], oneOf("worker", "task"), "Threads are isolates, or async tasks of one"),
    threads: value(["--threads"], count("N", 1, 1000), "How many threads, where that can be said"),
    svg: value(["--svg"], path("FILE"), "Write the picture there, too"),
    explain: flag(["--explain"], "Print the idea and the code that matters, and don't run it"),
    lang: valueOr(["--lang"], oneOf("en", "zh"), "en", "English, or Chinese throughout"),
    waitFor: values(["--wait-for"], addresses(), "event: wait for this service to be up, instead"),
    timeout: value(
      ["--timeout"],
      seconds(),
      "event --wait-for: seconds to wait; 0 tries once; default 15",
    ),
    port: valueOr(
      ["--port"],
      count("PORT", 0, 65535),
      0,
      "Where a lesson's server listens on 127.0.0.1; default: wherever there is room",
    ),
    ...common,
  },
  usage: "[NAME|all] [URL...]",
  about: `Teaches what threads do. Each lesson starts real ones (workers, that block on
    memory that they share), draws who runs, sleeps, has what and waits for what, and checks itself:
    the exit code is 0 when it showed what it is there to show, 1 if not.

    --seed decides the order of turns: the same seed plays the same again, and prints the same text
    into a pipe. The times in the pictures are the lesson's own, or arranged to show an order, and each
    picture says which; what was measured goes to standard error.

    \`demo event --wait-for HOST:PORT\` waits until something listens there, prints a line when it
    does, and nothing else on standard output: exit code 5 if nothing does in time. The first attempt
    is always made, so --timeout 0 tries each address once.`,
  examples: [
    ["barge demo", "list the lessons"],
    ["barge demo deadlock", "watch threads get stuck, and four cures"],
    ["barge demo lock --explain --lang zh", "the idea, in Chinese"],
    ["barge demo semaphore --svg semaphore.svg", "the picture, in a file"],
    ["barge demo event --wait-for db:3306 --timeout 60", "go on once the database is up"],
    ["barge demo all --json", "all of them: events as lines, a verdict each"],
  ],
  async run({ words, explain: explains, svg, waitFor, debug: _, ...values }, { signal }) {
    const [name, ...more] = words;
    if (name === undefined) return list(values.lang, values.json);
    if (name !== all && !Object.hasOwn(lessons, name)) throw unknownLesson(name);
    check(name, more, { svg, waitFor, ...values });
    const names = name === all ? Object.keys(lessons) : [name];
    const { explain, show } = await import("./_demo/play.ts");
    if (explains) {
      for (const each of names) {
        if (each !== names[0] && !values.json) print("");
        await explain(each, values.lang, values.json);
      }
      return;
    }
    const urls = more.map(url);
    const options: ShowOptions = {
      ...{ ...values, svg, waitFor, urls, signal, lenient: name === all },
    };
    const { Pool } = await import("../core/demo/runner/worker_pool.ts");
    using pool = new Pool();
    const failed: string[] = [];
    for (const [i, each] of names.entries()) {
      if (i > 0 && !values.json) print("");
      if (!await show(each, pool, options)) failed.push(each);
    }
    if (names.length > 1 && !values.json) {
      note(tally(names.length, failed, values.lang));
    }
    return failed.length > 0 ? otherCode : 0;
  },
});

/** A lesson's name, which shells complete; or what some lessons take behind it. */
function lessonName(): ValueParser<"sync", string> {
  return {
    ...plain("NAME"),
    *suggest(prefix) {
      for (const text of [...Object.keys(lessons), all]) {
        if (text.startsWith(prefix)) yield { kind: "literal", text };
      }
    },
  };
}

/** Returns how many of several lessons showed their point, and which did not. */
function tally(n: number, failed: readonly string[], lang: Lang): string {
  const count = lang === "en"
    ? `${n - failed.length} of ${n} lessons are ok`
    : `${n} 课中通过了 ${n - failed.length} 课`;
  if (failed.length === 0) return count;
  return lang === "en"
    ? `${count}; not: ${failed.join(", ")}`
    : `${count}；未通过：${failed.join("、")}`;
}

function list(lang: Lang, json: boolean): void {
  const width = Math.max(...Object.keys(lessons).map((name) => name.length));
  for (const [lesson, { brief }] of Object.entries(lessons)) {
    if (json) printJson({ lesson, brief: brief[lang] });
    else print(`${lesson.padEnd(width)}  ${brief[lang]}`);
  }
}

/** What goes with some lessons only. @throws {BargeError} `usage` */
function check(
  name: string,
  more: readonly string[],
  { waitFor, svg }: { readonly waitFor: readonly unknown[]; readonly svg?: string },
): void {
  const refuse = (why: string, hint?: string) =>
    new BargeError("usage", why, { op: "demo", path: name, hint });
  if (more.length > 0 && name !== "crawl") {
    throw refuse(`it takes no ${JSON.stringify(more[0])}`, "only crawl takes URLs behind its name");
  }
  if (waitFor.length > 0 && name !== "event") throw refuse("--wait-for is for event alone");
  if (svg !== undefined && name === all) throw refuse("--svg draws one lesson: name it");
}

function url(text: string): URL {
  const found = URL.parse(text);
  if (found !== null && /^https?:$/.test(found.protocol)) return found;
  throw new BargeError("usage", `${JSON.stringify(text)} is not a URL of http or https`, {
    op: "demo",
    path: "crawl",
  });
}

function unknownLesson(name: string): BargeError {
  const near = findSimilar(name, [...Object.keys(lessons), all], { maxSuggestions: 3 });
  return new BargeError("usage", "there is no such lesson", {
    op: "demo",
    path: name,
    hint: near.length > 0
      ? `did you mean ${near.map((each) => `\`barge demo ${each}\``).join(" or ")}?`
      : "`barge demo` lists them",
  });
}
