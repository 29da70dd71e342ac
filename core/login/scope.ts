/**
 * Scopes: the limits of a token.
 *
 *   issued -> in force -> expired | revoked
 *
 * A scope is set when its token is issued, and never changes. Some limits say where and until when the token
 * may be used: doors, networks, an end. The others say what it may do: its access and its path. A token with
 * one of those is restricted.
 *
 * Invariants:
 *   - A scope only takes rights away: each check of the account holds for its tokens, too.
 *   - A token that was issued in a login with a token has at most the scope of that one, and ends with it.
 *   - A restricted token makes nothing that outlives or exceeds it: it is refused share links, tokens,
 *     quotas, accounts and the state of the server. It may only revoke itself.
 *   - A share link that is made in a login with a token ends no later than the token. As with accounts, the networks do
 *     not bind its visitors.
 *   - A web session that begins with a token has that token's scope, and ends with it.
 *   - Append-only: an entry that exists is never replaced, moved, removed or cut short, and gets no other
 *     time, property or lock. The check runs in the step of the change. An upload that is no file yet has no
 *     such protection: it can be resumed, begun afresh and dropped.
 *   - Read-only: nothing is changed.
 *   - Path: all else is as if it did not exist. The folders above the path hold only the way to it.
 *   - An end holds by the clock of storage, in the step of a change, too. watch/live_logins.ts cuts
 *     connections within seconds of it.
 *
 * Doors check none of this: logins are checked here, rights in session.ts and access.ts.
 */
import { BargeError } from "../error.ts";
import { checkNetworks, isSubnet, Networks } from "../net/networks.ts";
import type { Request } from "../protocol/message.ts";
import { scopeDoors } from "../protocol/scope.ts";
import { parseTime } from "../protocol/time.ts";
import { isWithin, locate } from "../storage/path.ts";
import type { Scope } from "../storage/scope.ts";
import type { DoorName } from "../watch/metrics.ts";

/** The limits that a client asks for; a missing one is that of its own login. */
export type WantedScope = Pick<
  Extract<Request<"token">, { action: "issue" }>,
  "access" | "path" | "doors" | "from" | "expires"
>;

/** Where a client logs in. */
export interface LoginPoint {
  readonly door: DoorName;
  /** The client's numeric address, without the port. */
  readonly host: string;
}

/** The reason of a refused login, and the hint on it. */
export interface RefusalReason {
  readonly why: string;
  readonly hint: string;
}

/** Returns whether a scope limits what its token may do, and not only where and until when. */
export function isRestricted({ access, path }: Scope): boolean {
  return access !== "full" || path !== null;
}

/**
 * Returns the reason why a scope refuses a login, and what its owner can do; undefined if it does not.
 *
 * @param expired whether the token has expired
 */
export function scopeRefusal(
  { doors, from }: Scope,
  expired: boolean,
  { door, host }: LoginPoint,
): RefusalReason | undefined {
  const another = "make another one with `barge token add`";
  if (expired) {
    return { why: "the token has expired", hint: `${another}, or use \`barge login\` again` };
  }
  const name = door === "ftps" ? "ftp" : door;
  if (doors && !doors.includes(name)) {
    const why = `the token is not for ${name}, only ${doors.join(", ")}`;
    return { why, hint: `the token was made with --doors: ${another}` };
  }
  if (isFrom(from, host)) return undefined;
  return {
    why: "the token is not for clients at this address",
    hint: `this address is ${host}; the token was made with --from: ${another}`,
  };
}

/** Returns whether a client's numeric address is in one of the networks; null: any address is. */
export function isFrom(networks: readonly string[] | null, host: string): boolean {
  return networks === null || new Networks(networks, { all: true }).has(host);
}

/**
 * Returns the scope of a token to issue.
 *
 * @param own the scope of the login that issues it; not restricted
 * @param account the name of the account
 * @throws {BargeError} `usage` for limits that can't be; `denied` for more than the login itself has
 */
export function narrowedScope(own: Scope, wanted: WantedScope, account: string): Scope {
  const { access = "full" } = wanted;
  const path = wanted.path === undefined ? null : locate(wanted.path, account).path;
  const doors = wanted.doors
    ? scopeDoors.filter((door) => wanted.doors!.includes(door))
    : own.doors;
  if (wanted.from) checkNetworks(wanted.from);
  const from = wanted.from ?? own.from;
  const expires = wanted.expires === undefined ? own.expires : endOf(wanted.expires);
  const scope: Scope = { access, path: path === "/" ? null : path, doors, from, expires };
  if (isWithinScope(scope, own)) return scope;
  throw new BargeError("denied", "the new token would have more than the token of this login", {
    hint: "leave the limits out: the new token then has those of this login",
  });
}

/** Reads the end of a token. @throws {BargeError} `usage` */
function endOf(text: string): number {
  const end = parseTime(text);
  if (end !== undefined && end > Date.now()) return end;
  const hint = "a time in the format of RFC 3339, like 2027-01-31T12:00:00Z";
  throw new BargeError("usage", `${JSON.stringify(text)} is no time in the future`, { hint });
}

/** Returns whether the limits of a scope on where and until when are within those of another. */
function isWithinScope({ doors, from, expires }: Scope, outer: Scope): boolean {
  const { doors: outerDoors, from: outerFrom, expires: outerExpires } = outer;
  const doorsFit = !outerDoors || doors!.every((door) => outerDoors.includes(door));
  const fromFits = !outerFrom ||
    from!.every((inner) => outerFrom.some((outer) => isSubnet(inner, outer)));
  return doorsFit && fromFits && (outerExpires === null || expires! <= outerExpires);
}

/**
 * Returns the name of the one entry that a token sees in a folder above its path; undefined for any other
 * folder.
 *
 * @param root the token's path
 * @param folder a checked path
 *
 * @example
 * ```ts
 * import { wayTo } from "./scope.ts";
 * if (wayTo("/home/backups/db", "/home") !== "backups") throw new Error();
 * if (wayTo("/home/backups", "/home/backups") !== undefined) throw new Error();
 * ```
 */
export function wayTo(root: string, folder: string): string | undefined {
  if (root === folder || !isWithin(root, folder)) return undefined;
  const [name] = root.slice(folder === "/" ? 1 : folder.length + 1).split("/");
  return name;
}
