/** The interface of a lesson; each file in lessons/ exports one. */
import type { Address } from "../net/address.ts";
import type { LessonCode, ThreadKind } from "./runner/lesson_code.ts";
import type { Runner } from "./runner/runner.ts";
import type { Text } from "./text.ts";
import type { Verdict } from "./trace.ts";

/** The user's choices for a lesson. */
export interface LessonSettings {
  /** The number of threads, where the lesson has no fixed number. */
  readonly threads: number;
  readonly kind: ThreadKind;
  /** The factor by which a part in real time runs faster than by default. */
  readonly speed: number;
  /** The port for a server that the lesson starts; 0 for any free one. */
  readonly port: number;
  /** The URLs that the lesson `crawl` fetches in place of its own pages. */
  readonly urls: readonly URL[];
  /** The services that the lesson `event` waits for in place of its own. */
  readonly waitFor: readonly Address[];
  /** The limit of the wait for these services, in seconds. */
  readonly timeout: number;
}

export interface Lesson extends LessonCode {
  /** Explains the lesson in a few plain sentences. */
  readonly idea: Text;
  /** The essential code; a comment or string in two languages is written `[[English || Chinese]]`. */
  readonly code: string;
  /** The numbers of threads that the lesson accepts; undefined: the number is fixed. */
  readonly threads?: {
    readonly default: number;
    readonly min: number;
    readonly max: number;
    /** Whether the threads come in pairs. */
    readonly even?: boolean;
  };
  /** The accepted kinds of threads, the default first; undefined: the lesson has no choice. */
  readonly kinds?: readonly ThreadKind[];
  run(runner: Runner, settings: LessonSettings): Promise<Verdict>;
}

/**
 * Returns the essential code of a lesson in each language.
 *
 * @example
 * ```ts
 * import { codeText } from "./lesson.ts";
 * const { zh } = codeText("lock.acquire();   // [[may wait || 可能等待]]");
 * if (zh !== "lock.acquire();   // 可能等待") throw new Error(zh);
 * ```
 */
export function codeText(code: string): Text {
  const bilingualPart = /\[\[(.*?) \|\| (.*?)\]\]/g;
  return { en: code.replace(bilingualPart, "$1"), zh: code.replace(bilingualPart, "$2") };
}
