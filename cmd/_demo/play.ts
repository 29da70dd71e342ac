/** Plays one lesson in the form that was asked for, and prints its verdict. */
import { typed } from "../../core/error.ts";
import type { Audience, Figure } from "../../core/demo/trace.ts";
import { lessons, load } from "../../core/demo/catalog.ts";
import type { Pool } from "../../core/demo/runner/worker_pool.ts";
import { play, type RunOptions } from "../../core/demo/run_lesson.ts";
import { type Played, svg } from "../../core/demo/picture/svg.ts";
import type { Lang } from "../../core/demo/text.ts";
import { words } from "../../core/demo/picture/phrases.ts";
import { note, print, printJson, terminal } from "../_term/out.ts";
import { json } from "./json.ts";
import { keeping } from "./record.ts";
import { Live } from "./terminal.ts";
import { keys, paced, stepped } from "./pace.ts";
import { Plain } from "./plain_text.ts";
import { forScripts } from "./service_wait.ts";

export interface ShowOptions extends RunOptions {
  readonly lang: Lang;
  readonly json: boolean;
  readonly step: boolean;
  /** Undefined: on a terminal as the act's clock goes, else as fast as it can. */
  readonly speed?: number;
  readonly svg?: string;
}

/** @returns whether the lesson showed what it is there to show */
export async function show(name: string, pool: Pool, options: ShowOptions): Promise<boolean> {
  const { lang, signal } = options;
  const title = `${name}: ${lessons[name]!.brief[lang]}`;
  const shown = screen(name, title, options);
  if (options.step) shown.explain(keys[lang]);
  using steps = options.step ? stepped(shown.audience, shown.redraw, signal) : undefined;
  const speed = options.speed ?? (terminal.stdout && !options.json ? 1 : undefined);
  let audience: Audience = steps ?? shown.audience;
  if (!steps && speed !== undefined) audience = paced(audience, speed, shown.passes, signal);
  const acts: Played[] = [];
  if (options.svg !== undefined) audience = keeping(audience, acts, lang);
  const verdict = await play(name, audience, pool, options).finally(shown.ends);
  const said = verdict.said[lang];
  const { ok, measured = [] } = verdict;
  if (options.json) {
    const figures = Object.fromEntries(measured.map(({ name, value }) => [name.en, value]));
    printJson({ lesson: name, seed: options.seed, ok, said, measured: figures });
  } else if (!options.waitFor?.length) {
    const colon = lang === "en" ? ": " : "：";
    print(`\n${(ok ? words.ok : words.notShown)[lang]}${colon}${said}`);
    for (const figure of measured) note(`${figure.name[lang]}${colon}${formatFigure(figure)}`);
  }
  if (options.svg !== undefined) await save(options.svg, svg(title, acts, said, lang));
  return ok;
}

function formatFigure({ value }: Figure): string {
  if (Number.isInteger(value)) return String(value);
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3);
}

/** Prints the idea of a lesson, and the code that matters. */
export async function explain(name: string, lang: Lang, asJson: boolean): Promise<void> {
  const { idea, code } = await load(name);
  const brief = lessons[name]!.brief[lang];
  if (asJson) return printJson({ lesson: name, brief, idea: idea[lang], code: code[lang] });
  print(`${name}: ${brief}\n\n${idea[lang]}\n`);
  for (const line of code[lang].split("\n")) print(line === "" ? "" : `    ${line}`);
}

function screen(name: string, title: string, { json: asJson, lang, waitFor = [] }: ShowOptions) {
  const none = { redraw: () => {}, passes: () => {}, ends: () => {}, explain: note };
  if (asJson) return { ...none, audience: json(name, lang) };
  if (waitFor.length > 0) return { ...none, audience: forScripts(lang) };
  if (!terminal.stdout) {
    const plain = new Plain(title, lang);
    return { ...none, audience: plain, ends: () => plain.ends() };
  }
  const live = new Live(title, lang, !Deno.env.get("NO_COLOR"));
  return {
    audience: live,
    redraw: () => live.redraw(),
    passes: (t: number) => live.passes(t),
    ends: () => live.ends(),
    explain: (line: string) => void (live.footer = line),
  };
}

async function save(path: string, text: string): Promise<void> {
  try {
    await Deno.writeTextFile(path, text);
  } catch (error) {
    throw typed(error, { op: "write", path });
  }
}
