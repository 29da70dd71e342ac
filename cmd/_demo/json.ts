/** A lesson as lines of JSON: acts, events, drawings; the verdict comes from the verb. */
import { type ActBegins, type Audience, type DemoEvent, spoken } from "../../core/demo/trace.ts";
import type { Lang } from "../../core/demo/text.ts";
import { printJson } from "../_term/out.ts";

export function json(lesson: string, lang: Lang): Audience {
  return {
    begins: ({ act, title, clock }: ActBegins) =>
      printJson({ lesson, act, title: title[lang], clock }),
    happens(event: DemoEvent) {
      const { act, t, lane, what, of = null, text = null } = spoken(event, lang);
      printJson({ lesson, act, t: Number(t.toFixed(3)), lane, what, of, text });
    },
    draws: (act, drawing) => printJson({ lesson, act, drawing: drawing.map((line) => line[lang]) }),
  };
}
