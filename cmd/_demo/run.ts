import { lessons, loadLesson } from "../../core/demo/catalog.ts";
import { phrases } from "../../core/demo/picture/phrases.ts";
import { codeText } from "../../core/demo/lesson.ts";
import { drawSvg, type RecordedPart } from "../../core/demo/picture/svg.ts";
import { runLesson, type RunOptions } from "../../core/demo/run_lesson.ts";
import type { WorkerPool } from "../../core/demo/runner/worker_pool.ts";
import type { Lang } from "../../core/demo/text.ts";
import type { Figure, Reporter } from "../../core/demo/trace.ts";
import { typed } from "../../core/error.ts";
import { note, print, printJson, terminal } from "../_term/out.ts";
import { keyHelp, paceByClock, paceByKeys } from "./pace.ts";
import { PlainTextReporter } from "./plain_text.ts";
import { jsonReporter, recordParts, serviceWaitReporter } from "./reporters.ts";
import { TerminalReporter } from "./terminal.ts";

export interface ShowOptions extends RunOptions {
  readonly lang: Lang;
  readonly json: boolean;
  readonly step: boolean;
  /** Undefined: the speed of the part's clock on a terminal, else without delays. */
  readonly speed?: number;
  /** The path of the SVG file to write. */
  readonly svg?: string;
}

/**
 * Runs a lesson, and prints its trace and its verdict.
 *
 * @returns whether the lesson showed what it is meant to show
 */
export async function runAndShow(
  name: string,
  pool: WorkerPool,
  options: ShowOptions,
): Promise<boolean> {
  const { lang, signal, json, svg } = options;
  const title = `${name}: ${lessons[name]![lang]}`;
  const output = openOutput(name, title, options);
  if (options.step) output.showKeys(keyHelp[lang]);
  using keys = options.step ? paceByKeys(output.reporter, output.redraw, signal) : undefined;
  const speed = options.speed ?? (terminal.stdout && !json ? 1 : undefined);
  let reporter: Reporter = keys ?? output.reporter;
  if (!keys && speed !== undefined) reporter = paceByClock(reporter, speed, output.advance, signal);
  const parts: RecordedPart[] = [];
  if (svg !== undefined) reporter = recordParts(reporter, parts, lang);
  const verdict = await runLesson(name, reporter, pool, options).finally(output.finishPart);
  const summary = verdict.summary[lang];
  const { ok, measured = [] } = verdict;
  if (json) {
    const figures = Object.fromEntries(measured.map(({ name, value }) => [name.en, value]));
    printJson({ lesson: name, seed: options.seed, ok, said: summary, measured: figures });
  } else if (!options.waitFor?.length) {
    const colon = lang === "en" ? ": " : "：";
    print(`\n${(ok ? phrases.ok : phrases.notShown)[lang]}${colon}${summary}`);
    for (const figure of measured) note(`${figure.name[lang]}${colon}${formatFigure(figure)}`);
  }
  if (svg !== undefined) await save(svg, drawSvg(title, parts, summary, lang));
  return ok;
}

function formatFigure({ value }: Figure): string {
  if (Number.isInteger(value)) return String(value);
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3);
}

/** Prints the idea of a lesson and its essential code. */
export async function explain(name: string, lang: Lang, json: boolean): Promise<void> {
  const lesson = await loadLesson(name);
  const idea = lesson.idea[lang];
  const code = codeText(lesson.code)[lang];
  const brief = lessons[name]![lang];
  if (json) return printJson({ lesson: name, brief, idea, code });
  print(`${name}: ${brief}\n\n${idea}\n`);
  for (const line of code.split("\n")) print(line === "" ? "" : `    ${line}`);
}

/** Returns the reporter for the output that the user chose, and its optional abilities. */
function openOutput(name: string, title: string, { json, lang, waitFor = [] }: ShowOptions) {
  const ignored = { redraw: () => {}, advance: () => {}, finishPart: () => {}, showKeys: note };
  if (json) return { ...ignored, reporter: jsonReporter(name, lang) };
  if (waitFor.length > 0) return { ...ignored, reporter: serviceWaitReporter(lang) };
  if (!terminal.stdout) {
    const reporter = new PlainTextReporter(title, lang);
    return { ...ignored, reporter, finishPart: () => reporter.finishPart() };
  }
  const reporter = new TerminalReporter(title, lang, !Deno.env.get("NO_COLOR"));
  return {
    reporter,
    redraw: () => reporter.redraw(),
    advance: (t: number) => reporter.advance(t),
    finishPart: () => reporter.finishPart(),
    showKeys: (line: string) => void (reporter.footer = line),
  };
}

async function save(path: string, text: string): Promise<void> {
  try {
    await Deno.writeTextFile(path, text);
  } catch (error) {
    throw typed(error, { op: "write", path });
  }
}
