/** An audience that remembers what it saw. */
import type { Audience } from "../../../core/demo/events.ts";
import type { Pool } from "../../../core/demo/pool.ts";
import { play, type RunOptions } from "../../../core/demo/run.ts";

/** Everything that a lesson told, a line each. */
export function watching(): { readonly audience: Audience; readonly lines: string[] } {
  const lines: string[] = [];
  const see = (what: unknown) => void lines.push(JSON.stringify(what));
  return { audience: { begins: see, happens: see, draws: (_, drawing) => see(drawing) }, lines };
}

/** Plays a lesson, fast. */
export async function played(
  name: string,
  pool: Pool,
  options: Partial<RunOptions> & { readonly seed: number },
) {
  const { audience, lines } = watching();
  const { signal } = new AbortController();
  const verdict = await play(name, audience, pool, { signal, speed: 10, ...options });
  return { verdict, lines };
}
