/**
 * `barge demo event --wait-for` for scripts: standard output has one line for each address, written
 * when it listens. Notes about the wait go to standard error.
 */
import { type Audience, type DemoEvent, spoken } from "../../core/demo/trace.ts";
import type { Lang } from "../../core/demo/text.ts";
import { flush, note, print } from "../_term/out.ts";

export function forScripts(lang: Lang): Audience {
  return {
    begins: () => {},
    happens(event: DemoEvent) {
      const { what, text = "" } = spoken(event, lang);
      if (what === "notes") note(text);
      if (what !== "runs") return;
      print(text);
      flush();
    },
    draws: () => {},
  };
}
