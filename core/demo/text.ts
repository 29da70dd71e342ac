/** Texts in the languages of the lessons, and names that are the same in all of them. */

/** The languages of the lessons. */
export type Lang = "en" | "zh";

/** The same sentence in each language. */
export type Text = Readonly<Record<Lang, string>>;

/** A name from the code, the same in every language; or words. */
export type Name = string | Text;

const langs: readonly Lang[] = ["en", "zh"];

/** Returns a name or text in one language. */
export function textIn(name: Name, lang: Lang): string {
  return typeof name === "string" ? name : name[lang];
}

/** Returns the result of `make` for each language. */
export function inEachLanguage(make: (lang: Lang) => string): Text {
  return { en: make("en"), zh: make("zh") };
}

/**
 * Returns a text in both languages, from a template of the form `English || Chinese`. A line break
 * in the template counts as a space in English, and as nothing in Chinese.
 *
 * @example
 * ```ts
 * import { bilingual } from "./text.ts";
 * const name = bilingual`tea || 茶`;
 * const { en, zh } = bilingual`${2} cups of ${name} || ${2} 杯${name}`;
 * if (en !== "2 cups of tea" || zh !== "2 杯茶") throw new Error(en + zh);
 * ```
 */
export function bilingual(
  parts: TemplateStringsArray,
  ...values: readonly (Name | number | boolean | undefined)[]
): Text {
  const [en, zh] = parts.join("\0").split(/\s+\|\|\s+/);
  const valuesOfEn = en!.split("\0").length - 1;
  const fill = (template: string, own: typeof values, lang: Lang) => {
    const rest = own.values();
    return template.replace(/\0/g, () => {
      const value = rest.next().value!;
      return typeof value === "object" ? value[lang] : String(value);
    });
  };
  return {
    en: fill(en!.replace(/\s*\n\s*/g, " "), values, "en"),
    zh: fill(zh!.replace(/\s*\n\s*/g, ""), values.slice(valuesOfEn), "zh"),
  };
}

/** Joins several names to one text: `a, b`. */
export function joinNames(names: readonly Name[]): Text {
  return inEachLanguage((lang) =>
    names.map((name) => textIn(name, lang)).join(lang === "en" ? ", " : "、")
  );
}

/**
 * Formats a value for pictures: words in quotes, names from the code unchanged, the rest as JSON.
 *
 * @example
 * ```ts
 * import { formatValue } from "./text.ts";
 * if (formatValue("p1.2").en !== "p1.2" || formatValue("n = 1").en !== '"n = 1"') throw new Error();
 * if (formatValue({ en: "tea", zh: "茶" }).zh !== "“茶”") throw new Error();
 * ```
 */
export function formatValue(value: unknown): Text {
  if (isText(value)) return { en: `"${value.en}"`, zh: `“${value.zh}”` };
  const text = typeof value === "string" && /^[\w.-]+$/.test(value) ? value : JSON.stringify(value);
  return { en: text, zh: text };
}

function isText(value: unknown): value is Text {
  return typeof value === "object" && value !== null &&
    langs.every((lang) => typeof (value as Partial<Text>)[lang] === "string");
}
