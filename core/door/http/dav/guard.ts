/**
 * What a client makes its request depend on: the If header with the state of locks and entity tags,
 * the conditions of RFC 9110, and the tokens that it has for what is locked.
 */
import type { Standing } from "../../../login/access.ts";
import { BargeError } from "../../../error.ts";
import { checkUnlocked, locksOver } from "../../../session/lock.ts";
import type { Session } from "../../../login/session.ts";
import { stat } from "../../../session/stat.ts";
import { isConditional, judge } from "../condition.ts";
import type { AuthenticatedExchange } from "../exchange.ts";
import { Refusal } from "../problem.ts";
import { davTag } from "./etag.ts";
import { pathOf } from "./headers.ts";
import { type IfList, parseIf } from "./if_header.ts";

/** Paths, and how they are changed: see `checkUnlocked`. */
export type Changes = Readonly<Record<string, "content" | "name">>;

export class Guard {
  /** Those that the client says it has; whose they are is for the session to see. */
  readonly tokens: ReadonlySet<string>;
  readonly #exchange: AuthenticatedExchange;
  readonly #path: string;
  readonly #lists: readonly IfList[];

  /** @param path what the request is about @throws {BargeError} `usage` for a malformed header */
  constructor(exchange: AuthenticatedExchange, path: string) {
    const header = exchange.header("if");
    this.#exchange = exchange;
    this.#path = path;
    this.#lists = header === undefined ? [] : parseIf(header);
    const conditions = this.#lists.flatMap((list) => list.conditions);
    this.tokens = new Set(conditions.flatMap(({ token }) => token ?? []));
  }

  /** @throws {Refusal} 412 unless a list of the If header holds, if there is one */
  met(): void {
    if (this.#lists.length === 0 || this.#lists.some((list) => this.#holds(list))) return;
    throw new Refusal(412, "exists", "nothing of what the If header asks for holds");
  }

  /**
   * All conditions, and locks: to be called under the write lock, with the change itself.
   *
   * @throws {Refusal} 412; {Locked}
   */
  check(changes: Changes): void {
    this.met();
    const header = (name: string) => this.#exchange.header(name);
    if (isConditional(header)) {
      const there = this.#standing(this.#path);
      const now = there && { etag: there.type === "file" ? davTag(there) : "", ...there };
      if (judge(header, now, false) !== "ok") {
        throw new Refusal(412, "exists", "what is there is not as the request has it");
      }
    }
    this.unlocked(changes);
  }

  /** The locks alone: of a second step, when the first has changed what the conditions are about. */
  unlocked(changes: Changes): void {
    for (const [path, change] of Object.entries(changes)) {
      checkUnlocked(this.#session, path, this.tokens, change);
    }
  }

  get #session(): Session {
    return this.#exchange.session!;
  }

  #holds({ resource, conditions }: IfList): boolean {
    const path = resource === undefined ? this.#path : this.#pathOf(resource);
    let etag: string | undefined;
    let tokens = new Set<string>();
    if (path !== undefined) {
      const there = this.#standing(path);
      if (there?.type === "file") etag = davTag(there);
      tokens = new Set(this.#locks(path));
    }
    return conditions.every((condition) => {
      const has = condition.token === undefined
        ? etag !== undefined && condition.etag === etag
        : tokens.has(condition.token);
      return has !== condition.not;
    });
  }

  /** A URL of nothing that we could know has no state: a client may name several servers' at once. */
  #pathOf(url: string): string | undefined {
    try {
      return pathOf(this.#exchange, url);
    } catch (error) {
      if (error instanceof BargeError) return undefined;
      throw error;
    }
  }

  #locks(path: string): string[] {
    try {
      return locksOver(this.#session, path).map((lock) => lock.token);
    } catch (error) {
      if (error instanceof BargeError && error.kind === "not-found") return [];
      throw error;
    }
  }

  #standing(path: string): Standing | undefined {
    const there = entryAt(this.#session, path);
    return there && { ...there, modified: Date.parse(there.modified) };
  }
}

/** Refuses to replace, move or remove `/`, `/home` and `/public`. @throws {Refusal} 403 */
export function refuseFixed(session: Session, path: string): void {
  if (!session.locate(path).fixed) return;
  throw new Refusal(403, "refused", "it is a folder that every account has", { path });
}

/** What is at a path; undefined for nothing, which half an upload is, too. */
export function entryAt(session: Session, path: string) {
  try {
    return stat(session, path).entry ?? undefined;
  } catch (error) {
    if (error instanceof BargeError && error.kind === "not-found") return undefined;
    throw error;
  }
}
