import type { RecordedPart } from "../../core/demo/picture/svg.ts";
import type { Lang } from "../../core/demo/text.ts";
import {
  type Drawing,
  type Reporter,
  translate,
  type TranslatedEvent,
} from "../../core/demo/trace.ts";

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
