/** What a file of this room exports: a lesson. */
import type { Address } from "../net/address.ts";
import type { Agent } from "./runner/lesson_thread.ts";
import type { Verdict } from "./trace.ts";
import type { Props } from "./runner/primitives.ts";
import type { Stage } from "./runner/runner.ts";
import type { Text } from "./text.ts";

/** What runs as a thread under the director. It sees what it is given, and nothing else. */
export type Role<P extends Props, A> = (me: Agent, props: P, args: A) => Promise<unknown>;

/** Work that runs alone in a worker, in real time. @param send sends a message to the caller */
export type Errand<A, R> = (args: A, send: (news: unknown) => void) => R | Promise<R>;

/** What threads are: isolates of their own, or async tasks of one. */
export type AgentKind = "worker" | "task";

/** The code of a lesson that runs elsewhere, by name, so that a worker finds it. */
// deno-lint-ignore no-explicit-any
export type Roles = Readonly<Record<string, Role<any, any>>>;
// deno-lint-ignore no-explicit-any
export type Errands = Readonly<Record<string, Errand<any, any>>>;

/** What somebody asked for. */
export interface Wish {
  /** How many threads, where the lesson has no fixed number. */
  readonly threads: number;
  readonly kind: AgentKind;
  /** How many times as fast as by default a lesson in real time is to go. */
  readonly speed: number;
  /** For servers that a lesson starts; 0: any that is free. */
  readonly port: number;
  /** What `crawl` fetches, if not its own pages. */
  readonly urls: readonly URL[];
  /** What `event` waits for, if not for its own services, and for how many seconds. */
  readonly waitFor: readonly Address[];
  readonly timeout: number;
}

export interface Lesson {
  /** What it explains, in a few plain sentences. */
  readonly idea: Text;
  /** The code that matters, with comments in each language. */
  readonly code: Text;
  /** The numbers of threads that it accepts; undefined: the number is fixed. */
  readonly threads?: {
    readonly usual: number;
    readonly least: number;
    readonly most: number;
    /** They come in pairs. */
    readonly even?: boolean;
  };
  /** What its threads can be, the usual first; undefined: it does not ask. */
  readonly kinds?: readonly AgentKind[];
  readonly roles?: Roles;
  readonly errands?: Errands;
  /** Plays it. */
  play(stage: Stage, wish: Wish): Promise<Verdict>;
}

/** Ties the types of a lesson together. */
export function lesson<L extends Lesson>(lesson: L): L {
  return lesson;
}
