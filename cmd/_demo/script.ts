/**
 * `barge demo event --wait-for` for scripts: standard output has a line for each address that
 * listens, once it does, and nothing else; that it still waits goes to standard error.
 */
import { type Audience, type DemoEvent, spoken } from "../../core/demo/events.ts";
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
