/** The scope of a token, as storage keeps it. core/login/scope.ts has the rules. */
import type { AccessRight, ScopeDoor } from "../protocol/scope.ts";

export interface Scope {
  readonly access: AccessRight;
  /** The only path that the token reaches, with the entries below it; null for all. */
  readonly path: string | null;
  /** The doors that accept the token; null for all. */
  readonly doors: readonly ScopeDoor[] | null;
  /** The networks that the token may be used from; null for all. */
  readonly from: readonly string[] | null;
  /** When the token ends, in ms since 1970, by the clock of storage; null for never. */
  readonly expires: number | null;
}

/** The scope of a token without limits. */
export const fullScope: Scope = {
  access: "full",
  path: null,
  doors: null,
  from: null,
  expires: null,
};

/** A scope as columns of a row: lists are texts with spaces between the items. */
export interface ScopeRow {
  readonly access: AccessRight;
  readonly path: string | null;
  readonly doors: string | null;
  readonly networks: string | null;
  readonly expires: number | null;
}

/** Returns the columns of a scope. */
export function scopeRow({ access, path, doors, from, expires }: Scope): ScopeRow {
  return { access, path, doors: joinItems(doors), networks: joinItems(from), expires };
}

/** Returns the scope that columns hold. */
export function scopeOf({ access, path, doors, networks, expires }: ScopeRow): Scope {
  return {
    access,
    path,
    doors: splitItems(doors) as readonly ScopeDoor[] | null,
    from: splitItems(networks),
    expires,
  };
}

/** Returns a list as a column has it. */
export function joinItems(items: readonly string[] | null): string | null {
  return items && items.join(" ");
}

/** Returns the list that a column has. */
export function splitItems(text: string | null): readonly string[] | null {
  return text === null ? null : text.split(" ");
}
