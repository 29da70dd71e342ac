/**
 * Share links: who may make one, and what a stranger who has one may see.
 *
 * One's own home can be shared, and of /public the files that are charged to oneself; what others
 * put there is theirs to share. Admins may share all of /public. This is asked again each time that
 * somebody comes: a link ends where its owner's right does, or the owner is disabled.
 *
 * To a stranger all links that lead nowhere are the same: never made, mistyped, expired, revoked,
 * used up, gone.
 */
import { createHmac, timingSafeEqual } from "node:crypto";
import type { Account } from "../storage/account.ts";
import type { Attempt } from "../local/account/bans.ts";
import type { KnownShare, Share } from "../local/account/shares.ts";
import { BargeError } from "../error.ts";
import { network } from "../net/address.ts";
import type { Entry } from "../protocol/message.ts";
import { makeVerifier, matches } from "../protocol/verifier.ts";
import type { Location } from "../storage/path.ts";
import { type Place, relative } from "../storage/place.ts";
import { changeable } from "../login/access.ts";
import { bounded } from "../login/enter.ts";
import { entryOf } from "../local/entry.ts";
import { fail, type Pause } from "../login/login.ts";
import { Session } from "../login/session.ts";
import { look } from "../local/look.ts";
import type { Store } from "../local/store.ts";

const hour = 3_600_000;
const day = 24 * hour;
/** How long a link lasts that says nothing of it, and the longest and shortest that one can, in ms. */
export const usualLife = 7 * day;
export const longestLife = 366 * day;
export const shortestLife = 60_000;
/** The most downloads that a link can be limited to; more is no limit. */
export const mostDownloads = 1_000_000;
const longestPassword = 1024;
/** How long a stranger who gave the password need not give it again, in ms. */
export const unlockedFor = 12 * hour;

export interface ShareRequest {
  readonly path: string;
  /** When it ends, in ms since 1970; undefined: in a week. */
  readonly expires?: number;
  /** Null or undefined: anybody who has the link. */
  readonly password?: string | null;
  /** How often it may be downloaded; null or undefined: any number. */
  readonly most?: number | null;
}

/** A link, as its owner sees it. */
export interface Link {
  readonly id: string;
  readonly path: string;
  readonly kind: "file" | "dir";
  readonly created: number;
  readonly expires: number;
  readonly most: number | null;
  readonly downloads: number;
  /** Does it ask for a password? */
  readonly password: boolean;
  /** `gone`: what it led to was moved or removed, or is somebody else's now. */
  readonly state: "live" | "expired" | "used-up" | "gone";
}

/** A link that a stranger has followed. */
export interface OpenLink {
  readonly share: KnownShare;
  /** Reads what is at the path and below, and does nothing else. */
  readonly session: Session;
  /** Of what it leads to, as its owner sees it. */
  readonly path: string;
  readonly entry: Entry;
  /** No download can begin any more; one that was counted may go on. */
  readonly usedUp: boolean;
}

/**
 * Makes a link.
 *
 * @returns the token, which can't be had again
 * @throws {BargeError} `not-found`, `denied`, `exists` (/home, /public), `usage` for limits that
 *   can't be, `refused` where there are too many, `unavailable` when the server is busy
 */
export async function share(
  session: Session,
  { path, expires, password, most = null }: ShareRequest,
): Promise<{ readonly token: string; readonly link: Link }> {
  const { store } = session;
  const account = session.account();
  const { place, kind } = shareable(store, account, session.locate(path));
  const life = expires === undefined ? usualLife : expires - Date.now();
  if (!(life >= shortestLife && life <= longestLife)) {
    throw new BargeError(
      "usage",
      "a link ends in a minute at the earliest, in a year at the latest",
    );
  }
  if (most !== null && !(Number.isSafeInteger(most) && most > 0 && most <= mostDownloads)) {
    throw new BargeError("usage", `a limit is from 1 to ${mostDownloads} downloads`);
  }
  if ((password?.length ?? 0) > longestPassword) {
    throw new BargeError("usage", `a password has at most ${longestPassword} characters`);
  }
  const verifier = password
    ? await bounded(() => makeVerifier("password", password), undefined, { account: session.name })
    : null;
  session.check(); // the login may have ended meanwhile
  const made = store.shares.add(account.id, {
    ...{ place, kind, most, verifier },
    expires: Date.now() + life,
  });
  return { token: made.token, link: linkOf(store, account, made.share) };
}

/** One's own links, the newest first. */
export function shares(session: Session): Link[] {
  const { store } = session;
  const account = session.account();
  return store.shares.list(account.id).map((share) => linkOf(store, account, share));
}

/** Ends a link of one's own. @throws {BargeError} `not-found` */
export function revokeShare(session: Session, id: string): void {
  if (session.store.shares.revoke(session.account().id, id)) return;
  throw new BargeError("not-found", "there is no such link", { path: id });
}

/** Follows a link. @throws {BargeError} `not-found`, the same for all that lead nowhere */
export function openShare(store: Store, token: string): OpenLink {
  const share = store.shares.find(token);
  const owner = share && store.accounts.byId(share.account);
  if (!share || !owner || owner.disabled) throw nowhere();
  const { path, state } = linkOf(store, owner, share);
  if (state === "expired" || state === "gone") throw nowhere();
  const { found, row } = look(store, share.place);
  if (!found) throw nowhere();
  const session = new Session(store, owner, { kind: "share", digest: share.digest }).within(path);
  const entry = entryOf(share.place.name, found, row);
  return { share, session, path, entry, usedUp: state === "used-up" };
}

/**
 * The path of something that a link leads to.
 *
 * @param below as its visitor sees it: `/` is the folder that it leads to, `/NAME` the file
 * @throws {BargeError} `not-found`, as for a link that leads nowhere
 */
export function pathIn({ path, entry }: OpenLink, below: string): string {
  if (entry.type === "dir") return below === "/" ? path : `${path}${below}`;
  if (below !== `/${entry.name}`) throw nowhere();
  return path;
}

/** What is told of a link that leads nowhere. */
export function nowhere(): BargeError {
  return new BargeError("not-found", "this link leads nowhere", {
    hint: "it may have ended, or be mistyped",
  });
}

/**
 * Counts a download of a link, before its first byte is sent. Who was counted may have the rest of the
 * same version of the file, from the same network, for a day and in up to 100 parts: a download that
 * was cut off goes on without being another one.
 *
 * @param version of the file; null for what can't be gone on with
 * @param later is it a part that does not begin at the file's beginning?
 * @throws {BargeError} `not-found` where the link is used up, or has ended meanwhile
 */
export function countDownload(
  { session: { store }, share }: OpenLink,
  { host, version, later }: { host: string; version: string | null; later: boolean },
): void {
  const address = network(host);
  if (later && version !== null && store.shares.goesOn(share, address, version)) return;
  if (!store.shares.count(share, address, version)) throw nowhere();
}

/**
 * Checks the password of a link. Failures are delayed, and followed by bans, as those of logins are:
 * for the visitor's address, and for the link.
 *
 * @param pause waits before a failure is told
 * @param gone aborted when nobody waits for the answer any more
 * @returns what the visitor can show from here on in place of the password
 * @throws {BargeError} `unauthenticated`; `unavailable` when too many log in at the moment
 */
export async function unlock(
  { session: { store }, share }: OpenLink,
  password: string,
  host: string,
  pause: Pause,
  gone?: AbortSignal,
): Promise<string> {
  const name = `share ${share.id}`;
  const attempt: Attempt = { account: undefined, name, mechanism: "password", host };
  const { verifier } = share;
  const right = verifier !== null && password !== "" && password.length <= longestPassword &&
    !store.bans.banned(attempt) &&
    await bounded(() => matches("password", password, verifier), gone, { account: name, host }) &&
    !store.bans.banned(attempt); // others may have failed meanwhile
  if (right) return proofOf(store, share, Date.now() + unlockedFor);
  await pause(fail(store, attempt));
  throw new BargeError("unauthenticated", "that is not the password", { op: "open link" });
}

/** Need a visitor not be asked for the password (any more)? */
export function isUnlocked({ session: { store }, share }: OpenLink, proof: string): boolean {
  if (!share.verifier) return true;
  const until = Number(proof.split(".", 1)[0]);
  if (!(until > Date.now())) return false;
  const [given, own] = [proof, proofOf(store, share, until)].map((text) =>
    createHmac("sha256", "compare").update(text).digest()
  );
  return timingSafeEqual(given, own);
}

function proofOf({ db }: Store, { digest, verifier }: KnownShare, until: number): string {
  const mac = createHmac("sha256", db.secret("share"));
  mac.update([digest, verifier!.storedKey, until].join("\n"));
  return `${until}.${mac.digest("base64url")}`;
}

function linkOf(store: Store, account: Account, share: Share): Link {
  const { id, kind, created, expires, most, downloads, place, verifier } = share;
  const path = pathOf(account, place);
  const state = expires <= Date.now()
    ? "expired"
    : share.gone || !leads(store, account, share)
    ? "gone"
    : most !== null && downloads >= most
    ? "used-up"
    : "live";
  const password = verifier !== null;
  return { ...{ id, path, kind, created, expires, most, downloads, password, state } };
}

/** A place, as the account sees it. */
function pathOf({ name }: Account, place: Place): string {
  return `/${relative(place).replace(`homes/${name}/`, "home/")}`;
}

/** Does a link still lead to something of that kind, that its owner may share? */
function leads(store: Store, account: Account, { place, kind }: Share): boolean {
  const { found, row } = look(store, place);
  if (found?.type !== kind) return false;
  const inPublic = !relative(place).startsWith("homes/");
  return !inPublic || account.role === "admin" || (kind === "file" && row?.owner === account.id);
}

function shareable(store: Store, account: Account, location: Location) {
  const place = changeable(location);
  const { found, row } = look(store, place);
  if (!found) throw new BargeError("not-found", "there is no such file or folder");
  const { type: kind } = found;
  if (kind === "other") throw new BargeError("denied", "it is neither a file nor a folder");
  const { path, space } = location;
  if (space === "public" && account.role !== "admin") {
    if (kind === "dir") {
      throw new BargeError("denied", "others may put files into it: only admins share it", {
        path,
      });
    }
    if (row?.owner !== account.id) {
      throw new BargeError("denied", `it belongs to ${row?.ownerName ?? "the operator"}`, { path });
    }
  }
  return { place, kind };
}
