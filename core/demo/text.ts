/** Texts in the languages of the lessons, and names that are the same in all of them. */

/** The languages of the lessons. */
export type Lang = "en" | "zh";

/** The same sentence in each language. */
export type Text = Readonly<Record<Lang, string>>;

/** A name from the code, the same in every language; or words. */
export type Name = string | Text;

const langs: readonly Lang[] = ["en", "zh"];

/**
 * Returns a name or text in one language.
 *
 * @example
 * ```ts
 * import { say } from "./text.ts";
 * if (say("lock", "zh") !== "lock" || say({ en: "data", zh: "数据" }, "zh") !== "数据") throw 1;
 * ```
 */
export function say(name: Name, lang: Lang): string {
  return typeof name === "string" ? name : name[lang];
}

/** Returns the result of `make` for each language. */
export function inEach(make: (lang: Lang) => string): Text {
  return { en: make("en"), zh: make("zh") };
}

/**
 * A template whose holes are names, words or numbers; the rest is the same in every language.
 *
 * @example
 * ```ts
 * import { bilingual } from "./text.ts";
 * const code = bilingual`lock.acquire();   // ${{ en: "waits", zh: "等待" }}`;
 * if (code.zh !== "lock.acquire();   // 等待") throw new Error(code.zh);
 * ```
 */
export function bilingual(parts: TemplateStringsArray, ...holes: readonly (Name | number)[]): Text {
  return inEach((lang) =>
    parts.reduce((text, part, i) => {
      const hole = holes[i - 1]!;
      return text + (typeof hole === "number" ? hole : say(hole, lang)) + part;
    })
  );
}

/** Joins several names to one text: `a, b`. */
export function listed(names: readonly Name[]): Text {
  return inEach((lang) => names.map((name) => say(name, lang)).join(lang === "en" ? ", " : "、"));
}

/**
 * Returns a value as pictures show it: words in quotes, names from the code unchanged, else JSON.
 *
 * @example
 * ```ts
 * import { shown } from "./text.ts";
 * if (shown("p1.2").en !== "p1.2" || shown("n = 1").en !== '"n = 1"') throw new Error();
 * if (shown({ en: "tea", zh: "茶" }).zh !== "“茶”") throw new Error();
 * ```
 */
export function shown(value: unknown): Text {
  if (isText(value)) return { en: `"${value.en}"`, zh: `“${value.zh}”` };
  const text = typeof value === "string" && /^[\w.-]+$/.test(value) ? value : JSON.stringify(value);
  return { en: text, zh: text };
}

function isText(value: unknown): value is Text {
  return typeof value === "object" && value !== null &&
    langs.every((lang) => typeof (value as Partial<Text>)[lang] === "string");
}
