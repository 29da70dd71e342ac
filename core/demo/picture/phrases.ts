/** The phrases around the pictures of lessons: event descriptions, legend entries, clock captions. */
import type { Lang, Text } from "../text.ts";
import type { Clock, EventKind, TranslatedEvent } from "../trace.ts";

export const phrases = {
  runs: { en: "runs", zh: "运行" },
  sleeps: { en: "sleeps", zh: "睡眠" },
  waitsForThreads: { en: "waits for threads to end", zh: "等待线程结束" },
  both: { en: "both at once", zh: "两者同时" },
  ok: { en: "ok", zh: "通过" },
  notShown: { en: "NOT SHOWN", zh: "没有演示出来" },
  prints: { en: "prints a line", zh: "打印一行" },
} as const satisfies Record<string, Text>;

/** The captions that explain the times in a part's picture. */
export const clockCaptions: Readonly<Record<Clock, Text>> = {
  lesson: {
    en: "times: the lesson's own clock, on which sleeps cost nothing; not measured",
    zh: "时间：本课自己的时钟，睡眠不花真实时间；不是测量值",
  },
  staged: {
    en: "times: staged, to show the order; not measured",
    zh: "时间：为展示先后而编排；不是测量值",
  },
  measured: { en: "times: measured", zh: "时间：实测" },
};

export function holdsText(of: string): Text {
  return { en: `has ${of}`, zh: `拿着 ${of}` };
}

export function waitsForText(of: string): Text {
  return { en: `waits for ${of}`, zh: trimChineseSpaces(`等待 ${of}`) };
}

/** Removes the spaces beside Chinese punctuation, and between 等待 and a Chinese character. */
function trimChineseSpaces(zh: string): string {
  return zh.replace(/ ?([“”，。：；！？（）、]) ?/g, "$1").replace(
    /^等待 (?=\p{Script=Han})/u,
    "等待",
  );
}

/** Returns the note in place of omitted lanes or events. */
export function omittedText(count: number): Text {
  return { en: `(${count} more)`, zh: `（还有 ${count} 个）` };
}

export function secondsText(seconds: number | string): Text {
  return { en: `${seconds} s`, zh: `${seconds} 秒` };
}

/**
 * Describes an event, without its thread and time.
 *
 * @example
 * ```ts
 * import { describeEvent } from "./phrases.ts";
 * const event = { what: "waits", of: "A" } as const;
 * if (describeEvent(event, "en") !== "waits for A") throw new Error();
 * if (describeEvent(event, "zh") !== "等待 A") throw new Error();
 * if (describeEvent({ what: "waits", of: "数据" }, "zh") !== "等待数据") throw new Error();
 * ```
 */
export function describeEvent({ what, of, text }: Description, lang: Lang): string {
  const { before = separators.comma, ...verb } = descriptions[what](of);
  const details = text ? before[lang] + text : "";
  const description = what === "runs" && text ? text : verb[lang] + details;
  return lang === "en" ? description : trimChineseSpaces(description);
}

type Description = Pick<TranslatedEvent, "what" | "of" | "text">;

const separators = {
  comma: { en: ", ", zh: "，" },
  colon: { en: ": ", zh: "：" },
  space: { en: " ", zh: " " },
};

/** The description of each kind of event, and the separator before the event's own text. */
const descriptions: Readonly<
  Record<EventKind, (of?: string) => Text & { readonly before?: Text }>
> = {
  starts: () => ({ en: "starts", zh: "开始" }),
  runs: () => ({ en: "continues", zh: "继续" }),
  holds: (of) => ({ en: `has ${of}`, zh: `拿到 ${of}` }),
  releases: (of) => ({ en: `releases ${of}`, zh: `归还 ${of}` }),
  waits: (of) => ({ en: `waits for ${of}`, zh: `等待 ${of}` }),
  sleeps: () => ({ en: "sleeps", zh: "睡眠", before: separators.space }),
  notes: () => ({ en: "prints", zh: "打印", before: separators.colon }),
  ends: () => ({ en: "ends", zh: "结束" }),
};
