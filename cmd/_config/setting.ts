/** The settings of a configuration file, before they are compared with the options of a verb. */
import { BargeError } from "../../core/error.ts";
import type { ScalarType } from "../_term/value.ts";

/** A place in a file; both numbers count from 1. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** A value as the file has it. */
export interface FileValue {
  /** `other`: a type that no option has, such as a date. */
  readonly type: ScalarType | "array" | "table" | "other";
  /** A scalar as text. */
  readonly text: string;
  /** The values of an array. */
  readonly items: readonly FileValue[];
}

/** One key with its value, or a table that the file opens. */
export interface Setting {
  /** The names of its tables, and its own. */
  readonly path: readonly string[];
  readonly value: FileValue;
  /** Where its name stands; undefined in JSON. */
  readonly position?: Position;
}

/** A fault of a configuration file. */
export interface Problem {
  readonly position?: Position;
  /** The option with its table; undefined for a fault of the syntax. */
  readonly key?: string;
  readonly message: string;
  readonly hint?: string;
}

/**
 * Returns the failure for the first fault of a file.
 *
 * @param file its path
 * @param check the command that lists all faults; undefined where there is no such command
 */
export function failureOf(problems: readonly Problem[], file: string, check?: string): BargeError {
  const [{ message, position, hint }, ...others] = problems;
  const count = others.length;
  const more = count > 0 && (check ? `\`${check}\` lists ${count} more` : `and ${count} more`);
  return new BargeError("usage", message, {
    op: "read configuration",
    path: placeOf(file, position),
    hint: [hint, more].filter(Boolean).join("; ") || undefined,
  });
}

/** Returns `FILE:LINE:COLUMN`. */
export function placeOf(file: string, position?: Position): string {
  return position ? `${file}:${position.line}:${position.column}` : file;
}
