import type { Lang } from "../../core/demo/text.ts";
import { type Reporter, translate } from "../../core/demo/trace.ts";
import { printJson } from "../_term/out.ts";

/** Prints the parts, events and drawings of a lesson as lines of JSON, without its verdict. */
export function jsonReporter(lesson: string, lang: Lang): Reporter {
  return {
    partStarts: ({ part, title, clock }) =>
      printJson({ lesson, act: part, title: title[lang], clock }),
    event(event) {
      const { part, t, lane, what, of = null, text = null } = translate(event, lang);
      printJson({ lesson, act: part, t: Number(t.toFixed(3)), lane, what, of, text });
    },
    drawing: (part, drawing) =>
      printJson({ lesson, act: part, drawing: drawing.map((line) => line[lang]) }),
  };
}
