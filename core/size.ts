/** Reads and writes sizes for people, above all quotas. */

const units: Record<string, number> = { "": 1, b: 1 };
for (const [i, letter] of ["k", "m", "g", "t", "p"].entries()) {
  units[letter] = units[`${letter}b`] = 1000 ** (i + 1);
  units[`${letter}i`] = units[`${letter}ib`] = 1024 ** (i + 1);
}

/**
 * Reads a size: `1000000`, `500k`, `1.5MB` (powers of 1000), `20GiB`, `20Gi` (powers of 1024).
 *
 * @returns whole bytes, or undefined when the text is no size or the size is above 2^53-1
 *
 * @example
 * ```ts
 * import { parseSize } from "./size.ts";
 * if (parseSize("1.5 MB") !== 1_500_000) throw new Error();
 * if (parseSize("20GiB") !== 20 * 1024 ** 3) throw new Error();
 * if (parseSize("-1") !== undefined) throw new Error();
 * ```
 */
export function parseSize(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)\s*([a-z]{0,3})$/i.exec(text.trim());
  const unit = units[match?.[2].toLowerCase() ?? "-"];
  if (!match || unit === undefined) return undefined;
  const bytes = Math.round(Number(match[1]) * unit);
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}

/**
 * Writes a size in three digits and a unit: `999 B`, `20.5 MB`, `1.20 GiB`.
 *
 * @param base 1000 for kB, MB, GB; 1024 for KiB, MiB, GiB
 *
 * @example
 * ```ts
 * import { formatSize } from "./size.ts";
 * if (formatSize(20_480_000) !== "20.5 MB") throw new Error();
 * if (formatSize(999_999) !== "1.00 MB") throw new Error();
 * if (formatSize(3 * 2 ** 29, 1024) !== "1.50 GiB") throw new Error();
 * ```
 */
export function formatSize(bytes: number, base: 1000 | 1024 = 1000): string {
  if (bytes < 1000) return `${Math.round(bytes)} B`;
  let value = bytes;
  for (const letter of "kMGTP") {
    value /= base;
    if (value >= 999.5 && letter !== "P") continue;
    const digits = value < 9.995 ? 2 : value < 99.95 ? 1 : 0;
    const unit = base === 1000 ? `${letter}B` : `${letter.toUpperCase()}iB`;
    return `${value.toFixed(digits)} ${unit}`;
  }
  return `${bytes} B`;
}

/**
 * Returns the base of the units in which a limit was set, judged by its bytes: 1024 for `20GiB`.
 *
 * @returns 1000 without a limit
 */
export function baseOf(limit: number | null): 1000 | 1024 {
  return limit !== null && limit >= 1024 && limit % 1024 === 0 && limit % 1000 !== 0 ? 1024 : 1000;
}

/**
 * Formats a limit in the units in which it was set; `none` for no limit.
 *
 * @example
 * ```ts
 * import { formatLimit } from "./size.ts";
 * if (formatLimit(20 * 2 ** 30) !== "20 GiB" || formatLimit(1_000_000) !== "1 MB") throw new Error();
 * if (formatLimit(1_234_567) !== "1.23 MB" || formatLimit(null) !== "none") throw new Error();
 * ```
 */
export function formatLimit(limit: number | null): string {
  if (limit === null) return "none";
  const base = baseOf(limit);
  const text = formatSize(limit, base);
  const whole = text.replace(/\.0+(?= )/, "");
  return parseSize(whole) === limit ? whole : text;
}
