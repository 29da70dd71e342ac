/**
 * Share links: the right to make a link, and the access of its visitors.
 *
 * An account may share its home, and the files in /public that are charged to it; admins may share all
 * of /public. The rule is checked again at each visit: a link ends with its owner's right, or when the
 * owner may not log in. A link that is made with a token ends no later than the token.
 *
 * A visitor gets one answer for every link that does not work: never made, mistyped, expired, revoked,
 * used up, gone.
 */
import { dayMs, hourMs } from "../duration.ts";
import { createHmac, timingSafeEqual } from "node:crypto";
import { type Account, mayLogIn } from "../storage/account.ts";
import type { Attempt } from "../storage/logins.ts";
import type { FoundShare, Share } from "../storage/shares.ts";
import { BargeError } from "../error.ts";
import { network } from "../net/address.ts";
import type { Entry } from "../protocol/message.ts";
import { makeVerifier, matches } from "../protocol/verifier.ts";
import type { Location } from "../storage/path.ts";
import { relative } from "../storage/place.ts";
import { belongsTo, changeable } from "../login/access.ts";
import { runDerivation } from "../login/password.ts";
import { fail, type Pause } from "../login/login.ts";
import { Session } from "../login/session.ts";
import type { Service } from "../login/service.ts";
import { entryOf } from "./entry.ts";

/** The default, longest and shortest life of a link, in ms. */
export const defaultLinkMs = 7 * dayMs;
const maxLinkMs = 366 * dayMs;
const minLinkMs = 60_000;
/** The highest limit of a link's downloads. */
const maxLinkDownloads = 1_000_000;
const maxPasswordLength = 1024;
/** The time for which a visitor who gave the password need not give it again, in ms. */
export const unlockedMs = 12 * hourMs;

export interface ShareRequest {
  readonly path: string;
  /** When it ends, in ms since 1970. Default: in a week, or with the token of the login if that ends earlier. */
  readonly expires?: number;
  /** The password that visitors must give. Default: none. */
  readonly password?: string | null;
  /** The most downloads. Default: no limit. */
  readonly maxDownloads?: number | null;
}

/** A link, as its owner sees it. */
export interface Link extends Omit<Share, "place" | "gone" | "verifier"> {
  readonly path: string;
  /** True if visitors must give a password. */
  readonly password: boolean;
  /** `gone`: the file or folder was moved or removed, or belongs to another account now. */
  readonly state: "live" | "expired" | "used-up" | "gone";
}

/** A link that a visitor has followed. */
export interface OpenLink {
  readonly share: FoundShare;
  /** A session that can only read the path and the entries below. */
  readonly session: Session;
  /** The path of the shared file or folder, as its owner sees it. */
  readonly path: string;
  readonly entry: Entry;
  /** True if no download may begin any more; a counted one may be resumed. */
  readonly usedUp: boolean;
}

/**
 * Makes a link.
 *
 * @returns the token, which the server does not keep
 * @throws {BargeError} `not-found`, `denied`, also for a link that would outlive the token of the login, `exists`
 *   (/home, /public), `usage` for limits out of their range, `refused` when the account has too many links, `unavailable` when the server is busy
 */
export async function share(
  session: Session,
  { path, expires, password, maxDownloads = null }: ShareRequest,
): Promise<{ readonly token: string; readonly link: Link }> {
  session.refuseRestricted();
  const { store } = session;
  const account = await session.account();
  const { place, kind } = await shareable(store, account, session.locate(path));
  const usage = (why: string) => new BargeError("usage", why);
  const tokenEnd = session.scope.expires ?? Infinity;
  if (expires !== undefined && expires > tokenEnd) throw outlives(tokenEnd);
  const end = expires ?? Math.min(Date.now() + defaultLinkMs, tokenEnd);
  const life = end - Date.now();
  if (!(life >= minLinkMs && life <= maxLinkMs)) {
    throw usage("a link ends in a minute at the earliest, in a year at the latest");
  }
  const max = maxDownloads;
  if (max !== null && !(Number.isSafeInteger(max) && max > 0 && max <= maxLinkDownloads)) {
    throw usage(`a limit is from 1 to ${maxLinkDownloads} downloads`);
  }
  if ((password?.length ?? 0) > maxPasswordLength) {
    throw usage(`a password has at most ${maxPasswordLength} characters`);
  }
  const verifier = password
    ? await runDerivation(() => makeVerifier("password", password), undefined, {
      account: session.name,
    })
    : null;
  await session.check(); // the login may have ended meanwhile
  const added = { place, kind, maxDownloads, verifier, expires: end };
  const made = await store.people.shares.add(account.id, added, session.actor);
  return { token: made.token, link: await linkOf(store, account, made.share) };
}

function outlives(tokenEnd: number): BargeError {
  return new BargeError("denied", "the link would outlive the token of this login", {
    hint: `the token ends at ${new Date(tokenEnd).toISOString()}: choose an earlier end`,
  });
}

/** Returns the account's links, the newest first. */
export async function shares(session: Session): Promise<readonly Link[]> {
  session.refuseRestricted();
  const { store } = session;
  const account = await session.account();
  const shares = await store.people.shares.list(account.id);
  return await Promise.all(shares.map((share) => linkOf(store, account, share)));
}

/** Ends a link of the account. @throws {BargeError} `not-found` */
export async function revokeShare(session: Session, id: string): Promise<void> {
  session.refuseRestricted();
  const { id: account } = await session.account();
  if (await session.store.people.shares.revoke(account, id, session.actor)) return;
  throw new BargeError("not-found", "there is no such link", { path: id });
}

/** Opens a link for a visitor. @throws {BargeError} as {@link nowhere} */
export async function openShare(store: Service, token: string): Promise<OpenLink> {
  const { accounts, shares } = store.people;
  const share = await shares.find(token);
  const owner = share && await accounts.byId(share.account);
  if (!share || !owner || !mayLogIn(owner)) throw nowhere();
  const { path, state } = await linkOf(store, owner, share);
  if (state === "expired" || state === "gone") throw nowhere();
  const stored = await store.tree.entry(share.place);
  if (!stored) throw nowhere();
  const session = new Session(store, owner, { kind: "share", digest: share.digest }, {
    root: path,
  });
  const entry = entryOf(share.place.name, stored);
  return { share, session, path, entry, usedUp: state === "used-up" };
}

/**
 * Returns the path of an entry that a link leads to.
 *
 * @param below the path as the visitor sees it: `/` is the shared folder, `/NAME` the shared file
 * @throws {BargeError} as {@link nowhere}
 */
export function pathIn({ path, entry }: OpenLink, below: string): string {
  if (entry.type === "dir") return below === "/" ? path : `${path}${below}`;
  if (below !== `/${entry.name}`) throw nowhere();
  return path;
}

/** Returns the error for a link that does not work: `not-found`. */
export function nowhere(): BargeError {
  return new BargeError("not-found", "this link leads nowhere", {
    hint: "it may have ended, or be mistyped",
  });
}

/**
 * Counts a download of a link, before its first byte is sent. A counted download may be resumed for a day,
 * from the same network, in up to 100 parts of the same version of the file, and is not counted again.
 *
 * @param version the version of the file; null for a download that can't be resumed
 * @param later true for a part that does not begin at the file's start
 * @throws {BargeError} `not-found` where the link is used up, or has ended meanwhile
 */
export async function countDownload(
  { session: { store }, share }: OpenLink,
  { host, version, later }: { host: string; version: string | null; later: boolean },
): Promise<void> {
  const { shares } = store.people;
  const address = network(host);
  if (later && version !== null && await shares.resume(share, address, version)) return;
  if (!await shares.count(share, address, version)) throw nowhere();
}

/**
 * Checks the password of a link. As with logins, the answer to a failure is delayed, and too many failures
 * lead to a ban of the visitor's address, or of the link.
 *
 * @param pause waits before the answer to a failure
 * @param gone aborted when the visitor has left
 * @returns a proof that the visitor can send later in place of the password
 * @throws {BargeError} `unauthenticated`; `unavailable` when too many log in at the moment
 */
export async function unlock(
  { session: { store }, share }: OpenLink,
  password: string,
  host: string,
  pause: Pause,
  gone?: AbortSignal,
): Promise<string> {
  const { logins } = store.people;
  const name = `share ${share.id}`;
  const attempt: Attempt = { account: undefined, name, mechanism: "password", host, door: "http" };
  const { verifier } = share;
  const right = verifier !== null && password !== "" && password.length <= maxPasswordLength &&
    !await logins.isBanned(attempt) &&
    await runDerivation(() => matches("password", password, verifier), gone, {
      account: name,
      host,
    }) &&
    !await logins.isBanned(attempt); // others may have failed meanwhile
  if (right) return await proofOf(store, share, Date.now() + unlockedMs);
  await pause(await fail(store, attempt));
  throw new BargeError("unauthenticated", "that is not the password", { op: "open link" });
}

/** Returns whether a visitor has proved the password, or the link has none. */
export async function isUnlocked({ session, share }: OpenLink, proof: string): Promise<boolean> {
  if (!share.verifier) return true;
  const until = Number(proof.split(".", 1)[0]);
  if (!(until > Date.now())) return false;
  const digest = (text: string) => createHmac("sha256", "compare").update(text).digest();
  return timingSafeEqual(digest(proof), digest(await proofOf(session.store, share, until)));
}

async function proofOf({ people }: Service, share: FoundShare, until: number): Promise<string> {
  const mac = createHmac("sha256", await people.shares.signingKey());
  mac.update([share.digest, share.verifier!.storedKey, until].join("\n"));
  return `${until}.${mac.digest("base64url")}`;
}

async function linkOf(store: Service, account: Account, share: Share): Promise<Link> {
  const { id, kind, created, expires, maxDownloads, downloads, place, verifier } = share;
  const path = `/${relative(place).replace(`homes/${account.name}/`, "home/")}`;
  const state = expires <= Date.now()
    ? "expired"
    : share.gone || !await leads(store, account, share)
    ? "gone"
    : maxDownloads !== null && downloads >= maxDownloads
    ? "used-up"
    : "live";
  const password = verifier !== null;
  return { id, path, kind, created, expires, maxDownloads, downloads, password, state };
}

/** Returns whether a link still leads to an entry of that kind that its owner may share. */
async function leads(store: Service, account: Account, { place, kind }: Share): Promise<boolean> {
  const entry = await store.tree.entry(place);
  if (entry?.type !== kind) return false;
  const inPublic = !relative(place).startsWith("homes/");
  return !inPublic || account.role === "admin" || (kind === "file" && entry.owner === account.id);
}

async function shareable(store: Service, account: Account, location: Location) {
  const place = changeable(location);
  const entry = await store.tree.entry(place);
  if (!entry) throw new BargeError("not-found", "there is no such file or folder");
  const { type: kind } = entry;
  if (kind === "other") throw new BargeError("denied", "it is neither a file nor a folder");
  const { path, space } = location;
  if (space === "public" && account.role !== "admin") {
    const why = "others may put files into it: only admins share it";
    if (kind === "dir") throw new BargeError("denied", why, { path });
    if (entry.owner !== account.id) throw belongsTo("it", entry).with({ path });
  }
  return { place, kind };
}
