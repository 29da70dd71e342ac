/** An audience that remembers what it saw. */
import type { ActBegins, Audience, DemoEvent, Drawing } from "../../../core/demo/trace.ts";
import type { Pool } from "../../../core/demo/runner/worker_pool.ts";
import { play, type RunOptions } from "../../../core/demo/run_lesson.ts";

/** An act, as it was seen. */
export interface Seen {
  readonly begins: ActBegins;
  readonly events: DemoEvent[];
  drawing: Drawing;
}

/** All output of a lesson, by lines and by acts. */
export function watching(): {
  readonly audience: Audience;
  readonly lines: string[];
  readonly acts: Seen[];
} {
  const lines: string[] = [];
  const acts: Seen[] = [];
  const see = (what: unknown) => void lines.push(JSON.stringify(what));
  const audience: Audience = {
    begins(begins) {
      acts.push({ begins, events: [], drawing: [] });
      see(begins);
    },
    happens(event) {
      acts.at(-1)!.events.push(event);
      see(event);
    },
    draws(_, drawing) {
      acts.at(-1)!.drawing = drawing;
      see(drawing);
    },
  };
  return { audience, lines, acts };
}

/** Plays a lesson, fast. */
export async function played(
  name: string,
  pool: Pool,
  options: Partial<RunOptions> & { readonly seed: number },
) {
  const { audience, ...seen } = watching();
  const { signal } = new AbortController();
  const verdict = await play(name, audience, pool, { signal, speed: 10, ...options });
  return { verdict, ...seen };
}
