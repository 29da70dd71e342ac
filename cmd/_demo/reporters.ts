/** Reporters that draw nothing: as JSON, for scripts that wait for a service, and for an SVG file. */
import type { RecordedPart } from "../../core/demo/picture/svg.ts";
import type { Lang } from "../../core/demo/text.ts";
import {
  type Drawing,
  type Reporter,
  translate,
  type TranslatedEvent,
} from "../../core/demo/trace.ts";
import { flush, note, print, printJson } from "../_term/out.ts";

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

/**
 * Prints `barge demo event --wait-for` for scripts: a line on standard output for each address, as
 * soon as a service listens there. Progress goes to standard error.
 */
export function serviceWaitReporter(lang: Lang): Reporter {
  return {
    partStarts: () => {},
    event(event) {
      const { what, text = "" } = translate(event, lang);
      if (what === "notes") note(text);
      if (what !== "runs") return;
      print(text);
      flush();
    },
    drawing: () => {},
  };
}

interface OpenPart extends RecordedPart {
  readonly events: TranslatedEvent[];
  drawing: Drawing;
}

/** Returns a reporter that adds the trace to `parts`, for an SVG file, and passes it on. */
export function recordParts(reporter: Reporter, parts: RecordedPart[], lang: Lang): Reporter {
  let current: OpenPart;
  return {
    partStarts(start) {
      const { part, title, clock } = start;
      current = { title: `${part}. ${title[lang]}`, clock, events: [], drawing: [] };
      parts.push(current);
      return reporter.partStarts(start);
    },
    event(event) {
      current.events.push(translate(event, lang));
      return reporter.event(event);
    },
    drawing(part, drawing) {
      current.drawing = drawing;
      return reporter.drawing(part, drawing);
    },
  };
}
