/** Keeps what an audience sees, for the picture in a file. */
import { type Audience, type Drawing, spoken, type SpokenEvent } from "../../core/demo/trace.ts";
import type { Played } from "../../core/demo/picture/svg.ts";
import type { Lang } from "../../core/demo/text.ts";

interface Kept extends Played {
  readonly events: SpokenEvent[];
  drawing: Drawing;
}

export function keeping(audience: Audience, acts: Played[], lang: Lang): Audience {
  const kept: Kept[] = [];
  return {
    begins(act) {
      const { clock } = act;
      kept.push({ title: `${act.act}. ${act.title[lang]}`, clock, events: [], drawing: [] });
      acts.push(kept.at(-1)!);
      return audience.begins(act);
    },
    happens(event) {
      kept.at(-1)!.events.push(spoken(event, lang));
      return audience.happens(event);
    },
    draws(act, drawing) {
      kept.at(-1)!.drawing = drawing;
      return audience.draws(act, drawing);
    },
  };
}
