/** Options as `barge config show` and the log show them. */
import { longName, type Option, type Options } from "../_term/command.ts";
import type { origins, Source, Sources } from "../_term/source.ts";

/** The text in place of a secret. */
const hidden = "(hidden)";

/** A value in JSON. */
export type ShownValue = string | number | boolean | null | readonly ShownValue[];

/** An option with its value in force. */
export interface ShownOption {
  /** Its name, without dashes. */
  readonly option: string;
  /** The table of the server's file that holds it; null for the top level. */
  readonly table: string | null;
  /** The value; null where there is none, for `none` and `off`, and for a secret. */
  readonly value: ShownValue;
  /** The value as text. */
  readonly text: string;
  readonly source: typeof origins[number];
  /** The variable, or FILE:LINE:COLUMN; null for other sources. */
  readonly from: string | null;
  /** Whether SIGHUP applies a change. */
  readonly reloads: boolean;
}

/** Returns the options of a verb with their values and sources. */
export function shownOptions(
  options: Options<unknown>,
  values: Readonly<Record<string, unknown>>,
  sources: Sources,
): ShownOption[] {
  return Object.entries<Option<unknown>>(options)
    .filter(([, { names }]) => names.length > 0)
    .map(([key, option]) => shownOption(option, values[key], sources.get(key)));
}

/** Returns a variable that holds a secret and is not an option. */
export function hiddenOption(variable: string): ShownOption {
  const hiding = { value: null, text: hidden, source: "environment" } as const;
  return { option: variable, table: null, ...hiding, from: variable, reloads: false };
}

function shownOption(option: Option<unknown>, value: unknown, source?: Source): ShownOption {
  const { place, reloads, names } = option;
  const isNamed = source !== undefined && source.origin !== "command line";
  return {
    option: longName(names).slice(2),
    table: place === "limits" ? place : null,
    value: isHidden(option, source) ? null : jsonOf(option, value, source),
    text: textOf(option, value, source),
    source: source?.origin ?? "default",
    from: isNamed ? source.at ?? null : null,
    reloads: reloads !== undefined,
  };
}

/** Returns whether the value is not shown: its variable may hold a secret. */
function isHidden({ secret }: Option<unknown>, source?: Source): boolean {
  return secret === true && source?.origin === "environment";
}

function jsonOf({ kind, parser }: Option<unknown>, value: unknown, source?: Source): ShownValue {
  if (kind === "values") return source?.texts ?? [];
  if (value === undefined || value === null) return null;
  if (typeof value === "object" || value instanceof Function) {
    return source?.texts[0] ?? parser.format?.(value) ?? String(value);
  }
  return value as ShownValue;
}

/** Returns an option's value as text, as its source gives it; `-` where there is none. */
export function textOf(option: Option<unknown>, value: unknown, source?: Source): string {
  const { kind, parser } = option;
  if (isHidden(option, source)) return hidden;
  if (kind !== "flag" && source) return source.texts.join(", ");
  if (value === undefined || kind === "values") return "-";
  return parser.format?.(value) ?? String(value);
}
