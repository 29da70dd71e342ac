/** Sizes as people write and read them: quotas above all. */

const units: Record<string, number> = { "": 1, b: 1 };
for (const [i, letter] of ["k", "m", "g", "t", "p"].entries()) {
  units[letter] = units[`${letter}b`] = 1000 ** (i + 1);
  units[`${letter}i`] = units[`${letter}ib`] = 1024 ** (i + 1);
}

/**
 * Reads a size: `1000000`, `500k`, `1.5MB` (powers of 1000), `20GiB`, `20Gi` (powers of 1024).
 *
 * @returns whole bytes, or undefined when it is no size or more than 2^53-1
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
 * Writes a size in three digits and a unit of powers of 1000: `999 B`, `20.5 MB`.
 *
 * @example
 * ```ts
 * import { formatSize } from "./size.ts";
 * if (formatSize(20_480_000) !== "20.5 MB") throw new Error();
 * if (formatSize(999_999) !== "1.00 MB") throw new Error();
 * ```
 */
export function formatSize(bytes: number): string {
  if (bytes < 1000) return `${Math.round(bytes)} B`;
  let value = bytes;
  for (const unit of ["kB", "MB", "GB", "TB", "PB"]) {
    value /= 1000;
    if (value >= 999.5 && unit !== "PB") continue;
    const digits = value < 9.995 ? 2 : value < 99.95 ? 1 : 0;
    return `${value.toFixed(digits)} ${unit}`;
  }
  return `${bytes} B`;
}

/** A limit: a size, or that there is none. */
export function formatLimit(limit: number | null): string {
  return limit === null ? "none" : formatSize(limit);
}
