/** Plays one lesson in the form that was asked for, and says its verdict. */
import { typed } from "../../core/error.ts";
import type { Audience, Lang } from "../../core/demo/events.ts";
import { lessons, load } from "../../core/demo/lessons.ts";
import type { Pool } from "../../core/demo/pool.ts";
import { play, type RunOptions } from "../../core/demo/run.ts";
import { type Played, svg } from "../../core/demo/svg.ts";
import { note, print, printJson, terminal } from "../_term/out.ts";
import { json } from "./json.ts";
import { keeping } from "./keep.ts";
import { Live } from "./live.ts";
import { paced, stepped } from "./pace.ts";
import { Plain } from "./plain.ts";

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
  using steps = options.step ? stepped(shown.audience, shown.redraw, signal) : undefined;
  const speed = options.speed ?? (terminal.stdout && !options.json ? 1 : undefined);
  let audience: Audience = steps ?? shown.audience;
  if (!steps && speed !== undefined) audience = paced(audience, speed, shown.passes, signal);
  const acts: Played[] = [];
  if (options.svg !== undefined) audience = keeping(audience, acts, lang);
  const verdict = await play(name, audience, pool, options).finally(shown.ends);
  const said = verdict.said[lang];
  const { ok, measured = {} } = verdict;
  if (options.json) printJson({ lesson: name, seed: options.seed, ok, said, measured });
  else {
    print(`\n${ok ? "ok" : "NOT SHOWN"}: ${said}`);
    for (const [what, ms] of Object.entries(measured)) {
      note(`${what}: ${ms >= 100 ? ms.toFixed(0) : ms.toPrecision(3)}`);
    }
  }
  if (options.svg !== undefined) await save(options.svg, svg(title, acts, said));
  return ok;
}

/** Prints the idea of a lesson, and the code that matters. */
export async function explain(name: string, lang: Lang, asJson: boolean): Promise<void> {
  const { idea, code } = await load(name);
  const brief = lessons[name]!.brief[lang];
  if (asJson) return printJson({ lesson: name, brief, idea: idea[lang], code });
  print(`${name}: ${brief}\n\n${idea[lang]}\n`);
  for (const line of code.split("\n")) print(line === "" ? "" : `    ${line}`);
}

function screen(name: string, title: string, { json: asJson, lang }: ShowOptions) {
  if (asJson) {
    return { audience: json(name, lang), redraw: () => {}, passes: () => {}, ends: () => {} };
  }
  if (!terminal.stdout) {
    const plain = new Plain(title, lang);
    return { audience: plain, redraw: () => {}, passes: () => {}, ends: () => plain.ends() };
  }
  const live = new Live(title, lang, !Deno.env.get("NO_COLOR"));
  return {
    audience: live,
    redraw: () => live.redraw(),
    passes: (t: number) => live.passes(t),
    ends: () => live.ends(),
  };
}

async function save(path: string, text: string): Promise<void> {
  try {
    await Deno.writeTextFile(path, text);
  } catch (error) {
    throw typed(error, { op: "write", path });
  }
}
