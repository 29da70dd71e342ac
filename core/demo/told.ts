/** Events in words. */
import type { DemoEvent } from "./events.ts";

/**
 * What happened, without who and when.
 *
 * @example
 * ```ts
 * import { told } from "./told.ts";
 * const event = { act: 1, t: 0, lane: "t1", what: "waits", of: "A" } as const;
 * if (told(event) !== "waits for A") throw new Error(told(event));
 * ```
 */
export function told({ what, of, text }: Pick<DemoEvent, "what" | "of" | "text">): string {
  const more = text ? `, ${text}` : "";
  switch (what) {
    case "holds":
      return `has ${of}${more}`;
    case "releases":
      return `gives ${of} back${more}`;
    case "waits":
      return `waits for ${of}${more}`;
    case "sleeps":
      return ["sleeps", text].filter(Boolean).join(" ");
    case "notes":
      return `prints: ${text}`;
    case "runs":
      return text ?? "goes on";
    default:
      return `${what}${more}`;
  }
}
