import type { Lang } from "../../core/demo/text.ts";
import { type Reporter, translate } from "../../core/demo/trace.ts";
import { flush, note, print } from "../_term/out.ts";

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
