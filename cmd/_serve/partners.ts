/** Refuses options of `serve` that have no effect without another one. */
import { BargeError } from "../../core/error.ts";
import { secretOptions } from "../_data/storage_options.ts";
import { longName, type Option, type Options } from "../_term/command.ts";
import type { Sources } from "../_term/source.ts";

/**
 * Checks that each option which differs from its default has one of the options that it needs.
 *
 * @param sources the options that are given, by the keys of `options`
 * @throws {BargeError} `usage`
 */
export function checkPartners(options: Options<unknown>, sources: Sources): void {
  const table = new Map(Object.entries<Option<unknown>>(options));
  const isGiven = (key: string) => {
    const [option, source] = [table.get(key), sources.get(key)];
    if (!option || !source) return false;
    return JSON.stringify(option.parse(source.texts, source.at)) !==
      JSON.stringify(option.fallback?.());
  };
  for (const [key, { names, needs }] of table) {
    if (!needs || !isGiven(key) || needs.some(isGiven)) continue;
    const name = longName(names);
    const { origin, at } = sources.get(key)!;
    // Other verbs read these variables, too, so that the environment may have them without a store.
    if (origin === "environment" && Object.hasOwn(secretOptions, key)) continue;
    const place = origin === "command line" ? "" : ` (${at})`;
    const missing = needs.map((other) => longName(table.get(other)!.names)).join(" or ");
    throw new BargeError("usage", `${name}${place} has no effect without ${missing}`, {
      hint: `give ${missing}, too, or remove ${name}`,
    });
  }
}
