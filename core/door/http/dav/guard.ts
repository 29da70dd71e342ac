/**
 * The conditions of a WebDAV request: the If header about locks and entity tags, the conditions of RFC
 * 9110, and the lock tokens that the client submits.
 */
import { BargeError } from "../../../error.ts";
import type { Entry } from "../../../protocol/message.ts";
import { checkUnlocked } from "../../../session/lock.ts";
import type { Session } from "../../../login/session.ts";
import { stat } from "../../../session/stat.ts";
import type { StoredEntry } from "../../../storage/entry.ts";
import type { Place } from "../../../storage/place.ts";
import type { Condition, View } from "../../../storage/view.ts";
import { davTag, isConditional, judge } from "../condition.ts";
import type { AuthenticatedExchange } from "../exchange.ts";
import { Refusal } from "../problem.ts";
import { pathOf } from "./headers.ts";
import { type IfList, parseIf } from "./if_header.ts";

/** The changed paths, each with the kind of change; see `checkUnlocked`. */
export type Changes = Readonly<Record<string, "content" | "name">>;

export class Guard {
  /** The submitted lock tokens; the session checks that the account owns their locks. */
  readonly tokens: ReadonlySet<string>;
  readonly #exchange: AuthenticatedExchange;
  readonly #session: Session;
  readonly #path: string;
  readonly #lists: readonly IfList[];

  /** @param path of the request @throws {BargeError} `usage` for a malformed header */
  constructor(exchange: AuthenticatedExchange, path: string) {
    const header = exchange.header("if");
    this.#exchange = exchange;
    this.#session = exchange.session;
    this.#path = path;
    this.#lists = header === undefined ? [] : parseIf(header);
    const conditions = this.#lists.flatMap((list) => list.conditions);
    this.tokens = new Set(conditions.flatMap(({ token }) => token ?? []));
  }

  /** Checks the If header. @throws {Refusal} 412 if no list of it holds */
  checkIf(view: View): void {
    if (this.#lists.length === 0 || this.#lists.some((list) => this.#holds(view, list))) return;
    throw new Refusal(412, "exists", "no list of the If header holds");
  }

  /**
   * Checks all conditions and locks, in the step that makes the change.
   *
   * @throws {Refusal} 412; {Locked}
   */
  check(view: View, changes: Changes): void {
    this.checkIf(view);
    const { header } = this.#exchange;
    if (isConditional(header)) {
      const existing = this.#existing(view, this.#path);
      const validators = existing &&
        { etag: existing.type === "file" ? davTag(existing) : "", ...existing };
      if (judge(header, validators, false) !== "ok") {
        const why = "the file or folder does not meet the request's conditions";
        throw new Refusal(412, "exists", why);
      }
    }
    this.checkLocks(view, changes);
  }

  /** Checks only the locks, for the second step of a change. */
  checkLocks(view: View, changes: Changes): void {
    for (const [path, change] of Object.entries(changes)) {
      checkUnlocked(view, this.#session, path, this.tokens, change);
    }
  }

  #holds(view: View, { resource, conditions }: IfList): boolean {
    const path = resource === undefined ? this.#path : this.#pathOf(resource);
    let etag: string | undefined;
    let tokens = new Set<string>();
    if (path !== undefined) {
      const existing = this.#existing(view, path);
      if (existing?.type === "file") etag = davTag(existing);
      const place = this.#placeOf(path);
      if (place) tokens = new Set(view.locksOver(place).map((lock) => lock.token));
    }
    return conditions.every((condition) => {
      const has = condition.token === undefined
        ? etag !== undefined && condition.etag === etag
        : tokens.has(condition.token);
      return has !== condition.not;
    });
  }

  /** Returns undefined for a URL of another server, whose state is unknown here. */
  #pathOf(url: string): string | undefined {
    try {
      return pathOf(this.#exchange, url);
    } catch (error) {
      if (error instanceof BargeError) return undefined;
      throw error;
    }
  }

  #existing(view: View, path: string): StoredEntry | undefined {
    const place = this.#placeOf(path);
    const entry = place && view.entry(place);
    if (entry?.type === "other") {
      throw new BargeError("denied", "it is neither a file nor a folder", { path });
    }
    return entry;
  }

  /** Returns the place of a path; undefined for `/` and for an unknown place. */
  #placeOf(path: string): Place | undefined {
    try {
      return this.#session.locate(path).place;
    } catch (error) {
      if (error instanceof BargeError && error.kind === "not-found") return undefined;
      throw error;
    }
  }
}

/** Refuses to replace, move or remove `/`, `/home` and `/public`. @throws {Refusal} 403 */
export function refuseFixed(session: Session, path: string): void {
  if (!session.locate(path).fixed) return;
  throw new Refusal(403, "refused", "it is a built-in folder, which can't be changed", { path });
}

/** Evaluates a condition before the first step of a change. @throws as the condition */
export async function checkNow(
  exchange: AuthenticatedExchange,
  path: string,
  check: Condition,
): Promise<void> {
  const { session } = exchange;
  await session.check();
  const { place } = session.locate(path);
  await session.store.tree.check({ places: place ? [place] : [], check });
}

/** Returns the file or folder at a path; undefined for none, and for a partial upload. */
export async function entryAt(session: Session, path: string): Promise<Entry | undefined> {
  try {
    return (await stat(session, path)).entry ?? undefined;
  } catch (error) {
    if (error instanceof BargeError && error.kind === "not-found") return undefined;
    throw error;
  }
}
