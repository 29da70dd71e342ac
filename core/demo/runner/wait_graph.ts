/** The wait-for graph: the threads that wait, the objects they wait for, and the holders of these. */
import { inEachLanguage, joinNames, type Name, type Text, textIn } from "../text.ts";

/** The most names that the drawing shows of a group of threads that wait for the same object. */
const maxNames = 3;

/** One edge: a thread waits for an object. */
export interface Wait {
  readonly thread: Name;
  readonly object: string;
  readonly holders: readonly Name[];
}

/**
 * Finds a circle of threads that wait for each other: a deadlock. The first thread is also the last.
 *
 * @example
 * ```ts
 * import { findCircle } from "./wait_graph.ts";
 * const waits = [
 *   { thread: "t1", object: "B", holders: ["t2"] },
 *   { thread: "t2", object: "A", holders: ["t1"] },
 * ];
 * if (findCircle(waits)?.join(" ") !== "t1 t2 t1") throw new Error();
 * ```
 */
export function findCircle(waits: readonly Wait[]): Name[] | undefined {
  const visit = (thread: Name, path: readonly Name[]): Name[] | undefined => {
    const at = path.indexOf(thread);
    if (at >= 0) return [...path.slice(at), thread];
    for (const wait of waits) {
      if (wait.thread !== thread) continue;
      for (const holder of wait.holders) {
        const circle = visit(holder, [...path, thread]);
        if (circle) return circle;
      }
    }
    return undefined;
  };
  for (const { thread } of waits) {
    const circle = visit(thread, []);
    if (circle) return circle;
  }
  return undefined;
}

/**
 * Draws a line for each group of threads that wait for the same object, and one for a circle.
 *
 * @example
 * ```ts
 * import { drawWaitGraph } from "./wait_graph.ts";
 * const [line] = drawWaitGraph([{ thread: "t1", object: "L", holders: ["t1"] }]);
 * if (line.en !== "t1 --waits for--> L --held by--> t1") throw new Error(line.en);
 * if (line.zh !== "t1 --等待--> L --持有者--> t1") throw new Error(line.zh);
 * ```
 */
export function drawWaitGraph(waits: readonly Wait[]): Text[] {
  const circle = findCircle(waits);
  const inCircle = waits.filter(({ thread }) => !circle || circle.includes(thread));
  const others = waits.filter(({ thread }) => circle && !circle.includes(thread));
  const groups = Map.groupBy(others, ({ object }) => object).values();
  const lines = [...inCircle.map((wait) => drawEdge([wait])), ...groups.map(drawEdge)];
  if (circle) {
    lines.push(inEachLanguage((lang) => {
      const names = circle.map((name) => textIn(name, lang)).join(" -> ");
      return lang === "en" ? `a circle: ${names}` : `环：${names}`;
    }));
  }
  return lines;
}

/** Draws the edge from several threads to one object. */
function drawEdge(waits: readonly Wait[]): Text {
  const { object, holders } = waits[0]!;
  const threads = shortenNames(waits.map(({ thread }) => thread));
  const held = holders.length > 0 ? joinNames(holders) : { en: "nobody", zh: "无人" };
  const wait = waits.length > 1 ? "wait" : "waits";
  return {
    en: `${threads.en} --${wait} for--> ${object} --held by--> ${held.en}`,
    zh: `${threads.zh} --等待--> ${object} --持有者--> ${held.zh}`,
  };
}

/** Returns the names, or the first ones and the number of the others. */
function shortenNames(names: readonly Name[]): Text {
  if (names.length <= maxNames + 1) return joinNames(names);
  const first = joinNames(names.slice(0, maxNames));
  return {
    en: `${first.en} and ${names.length - maxNames} more`,
    zh: `${first.zh} 等 ${names.length} 个`,
  };
}
