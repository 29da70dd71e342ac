/** A lesson as lines of JSON: acts, events, drawings; the verdict comes from the verb. */
import type { ActBegins, Audience, DemoEvent, Lang } from "../../core/demo/events.ts";
import { printJson } from "../_term/out.ts";

export function json(lesson: string, lang: Lang): Audience {
  return {
    begins: ({ act, title }: ActBegins) => printJson({ lesson, act, title: title[lang] }),
    happens: ({ act, t, lane, what, of, text }: DemoEvent) =>
      printJson({
        lesson,
        act,
        t: Number(t.toFixed(3)),
        lane,
        what,
        of: of ?? null,
        text: text ?? null,
      }),
    draws: (act, drawing) => printJson({ lesson, act, drawing }),
  };
}
