/** Keeps what an audience sees, for the picture in a file. */
import type { Audience, DemoEvent, Lang } from "../../core/demo/events.ts";
import type { Played } from "../../core/demo/svg.ts";

interface Kept extends Played {
  readonly events: DemoEvent[];
  drawing: readonly string[];
}

export function keeping(audience: Audience, acts: Played[], lang: Lang): Audience {
  const kept: Kept[] = [];
  return {
    begins(act) {
      kept.push({ title: `${act.act}. ${act.title[lang]}`, events: [], drawing: [] });
      acts.push(kept.at(-1)!);
      return audience.begins(act);
    },
    happens(event) {
      kept.at(-1)!.events.push(event);
      return audience.happens(event);
    },
    draws(act, lines) {
      kept.at(-1)!.drawing = lines;
      return audience.draws(act, lines);
    },
  };
}
