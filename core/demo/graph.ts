/** The wait-for graph: who waits for what, and who has it. A circle in it is a deadlock. */

export interface Wait {
  readonly who: string;
  readonly for: string;
  readonly heldBy: readonly string[];
}

/**
 * Those who wait for each other in a circle, the first one also last; undefined if nobody does.
 *
 * @example
 * ```ts
 * import { circle } from "./graph.ts";
 * const waits = [
 *   { who: "t1", for: "B", heldBy: ["t2"] },
 *   { who: "t2", for: "A", heldBy: ["t1"] },
 * ];
 * if (circle(waits)?.join(" ") !== "t1 t2 t1") throw new Error("it is one");
 * ```
 */
export function circle(waits: readonly Wait[]): string[] | undefined {
  const visit = (who: string, path: readonly string[]): string[] | undefined => {
    const at = path.indexOf(who);
    if (at >= 0) return [...path.slice(at), who];
    for (const wait of waits) {
      if (wait.who !== who) continue;
      for (const holder of wait.heldBy) {
        const found = visit(holder, [...path, who]);
        if (found) return found;
      }
    }
    return undefined;
  };
  for (const { who } of waits) {
    const found = visit(who, []);
    if (found) return found;
  }
  return undefined;
}

/**
 * Draws it, a line for each who waits.
 *
 * @example
 * ```ts
 * import { drawGraph } from "./graph.ts";
 * const lines = drawGraph([{ who: "t1", for: "L", heldBy: ["t1"] }]);
 * if (lines[0] !== "t1 --waits for--> L --held by--> t1") throw new Error(lines[0]);
 * ```
 */
export function drawGraph(waits: readonly Wait[]): string[] {
  const lines = waits.map(({ who, for: what, heldBy }) => {
    const holders = heldBy.length > 0 ? heldBy.join(", ") : "nobody";
    return `${who} --waits for--> ${what} --held by--> ${holders}`;
  });
  const found = circle(waits);
  if (found) lines.push(`a circle: ${found.join(" -> ")}`);
  return lines;
}
