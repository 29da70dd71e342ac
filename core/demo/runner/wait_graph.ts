/** The wait-for graph: who waits for what, and who has it. A circle in it is a deadlock. */
import { inEach, listed, type Name, say, type Text } from "../text.ts";

/** The most names of a group that waits for the same thing. */
const mostNames = 3;

export interface Wait {
  readonly who: Name;
  readonly for: string;
  readonly heldBy: readonly Name[];
}

/**
 * Those who wait for each other in a circle, the first one also last; undefined if nobody does.
 *
 * @example
 * ```ts
 * import { circle } from "./wait_graph.ts";
 * const waits = [
 *   { who: "t1", for: "B", heldBy: ["t2"] },
 *   { who: "t2", for: "A", heldBy: ["t1"] },
 * ];
 * if (circle(waits)?.join(" ") !== "t1 t2 t1") throw new Error("it is one");
 * ```
 */
export function circle(waits: readonly Wait[]): Name[] | undefined {
  const visit = (who: Name, path: readonly Name[]): Name[] | undefined => {
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
 * Draws it: a line for each group that waits for the same, and one for a circle.
 *
 * @example
 * ```ts
 * import { drawGraph } from "./wait_graph.ts";
 * const [line] = drawGraph([{ who: "t1", for: "L", heldBy: ["t1"] }]);
 * if (line.en !== "t1 --waits for--> L --held by--> t1") throw new Error(line.en);
 * if (line.zh !== "t1 --等待--> L --持有者--> t1") throw new Error(line.zh);
 * ```
 */
export function drawGraph(waits: readonly Wait[]): Text[] {
  const found = circle(waits);
  const inCircle = waits.filter(({ who }) => !found || found.includes(who));
  const others = waits.filter(({ who }) => found && !found.includes(who));
  const lines = [...inCircle.map((wait) => arrow([wait])), ...grouped(others).map(arrow)];
  if (found) {
    lines.push(inEach((lang) => {
      const names = found.map((name) => say(name, lang)).join(" -> ");
      return lang === "en" ? `a circle: ${names}` : `环：${names}`;
    }));
  }
  return lines;
}

/** Groups the threads that wait for the same thing. */
function grouped(waits: readonly Wait[]): Wait[][] {
  return [...Map.groupBy(waits, (wait) => wait.for).values()];
}

/** Returns the names, or the first of them and the number of the others. */
function someOf(names: readonly Name[]): Text {
  if (names.length <= mostNames + 1) return listed(names);
  const first = listed(names.slice(0, mostNames));
  return {
    en: `${first.en} and ${names.length - mostNames} more`,
    zh: `${first.zh} 等 ${names.length} 个`,
  };
}

function arrow(waits: readonly Wait[]): Text {
  const { for: what, heldBy } = waits[0]!;
  const who = someOf(waits.map((wait) => wait.who));
  const holders = heldBy.length > 0 ? listed(heldBy) : { en: "nobody", zh: "无人" };
  return {
    en: `${who.en} --${
      waits.length > 1 ? "wait" : "waits"
    } for--> ${what} --held by--> ${holders.en}`,
    zh: `${who.zh} --等待--> ${what} --持有者--> ${holders.zh}`,
  };
}
