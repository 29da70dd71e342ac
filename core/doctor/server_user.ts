/**
 * Finds the user that the server runs as, and judges by modes what this user can read. As root, doctor reads
 * files that the server can't. Access control lists are not read.
 */
import { dirname, resolve } from "node:path";
import type { Setup } from "./setup.ts";

/** A user of this machine. */
export interface User {
  readonly uid: number;
  /** The name; the number as text for a user without an entry in /etc/passwd. */
  readonly name: string;
  readonly groups: ReadonlySet<number>;
}

/** The facts of a file or folder by which it admits users. */
export type Access = Pick<Deno.FileInfo, "mode" | "uid" | "gid">;

const readBit = 0o4;
const enterBit = 0o1;
const unitName = "barge.service";

/**
 * Returns the user that the server runs as: the owner of the data directory, else the user of the unit
 * barge.service.
 *
 * @returns undefined if the user is not known, or is root or the user of this process
 */
export function serverUser(setup: Setup | (Setup & { readonly data: string })): User | undefined {
  const unit = readUnit();
  const { uid, gid } = "data" in setup ? statOrNothing(setup.data) : unknown;
  const passwd = readOrNothing("/etc/passwd");
  const user = userOf(uid ?? unit.user, passwd, readOrNothing("/etc/group"), [
    ...gid === null ? [] : [`${gid}`],
    ...unit.groups,
  ]);
  return user === undefined || user.uid === 0 || user.uid === Deno.uid() ? undefined : user;
}

/**
 * Returns a user with its groups.
 *
 * @param user a name or a number
 * @param passwd the content of /etc/passwd
 * @param group the content of /etc/group
 * @param more the names or numbers of further groups
 * @returns undefined for no user, or a name that has no entry
 *
 * @example
 * ```ts
 * import { userOf } from "./server_user.ts";
 * const user = userOf("barge", "barge:x:990:980::/:/bin/false\n", "tls:x:40:ann,barge\n", []);
 * if (user?.uid !== 990 || [...user.groups].join() !== "980,40") throw new Error();
 * ```
 */
export function userOf(
  user: string | number | undefined,
  passwd: string,
  group: string,
  more: readonly string[],
): User | undefined {
  if (user === undefined) return undefined;
  const entry = rows(passwd).find(([name, , uid]) => name === user || uid === `${user}`);
  const [name = `${user}`, , uid = `${user}`, own] = entry ?? [];
  if (!/^\d+$/.test(uid)) return undefined;
  const listed = rows(group)
    .filter(([label, , gid, members = ""]) =>
      members.split(",").includes(name) || more.includes(label) || more.includes(gid)
    )
    .map(([, , gid]) => gid);
  const gids = [own, ...listed, ...more].filter((gid) => gid !== undefined && /^\d+$/.test(gid));
  return { uid: Number(uid), name, groups: new Set(gids.map(Number)) };
}

/**
 * Returns the user and the groups that a systemd unit names. The last line of a name holds for the user; groups add
 * up.
 *
 * @param texts the contents of the unit and of its drop-ins
 */
export function unitUser(
  texts: readonly string[],
): { readonly user?: string; readonly groups: readonly string[] } {
  const values = (name: string) =>
    texts.flatMap((text) =>
      Array.from(text.matchAll(new RegExp(`^${name}=(.*)$`, "gm")), ([, value]) => value.trim())
    );
  const groups = [...values("Group"), ...values("SupplementaryGroups")];
  return {
    user: values("User").at(-1) || undefined,
    groups: groups.flatMap((line) => line.split(/\s+/)).filter(Boolean),
  };
}

/**
 * Returns the file or the folder above it whose mode keeps a user from reading the file.
 *
 * @returns undefined if the user can read it
 */
export function barrierOf(user: User, path: string): string | undefined {
  const file = resolve(path);
  for (let folder = dirname(file);; folder = dirname(folder)) {
    if (!admits(user, Deno.statSync(folder), enterBit)) return folder;
    if (folder === dirname(folder)) break;
  }
  return admits(user, Deno.statSync(file), readBit) ? undefined : file;
}

/** Returns whether a mode gives a user a right. @param bit the right, as one of other users */
export function admits({ uid, groups }: User, access: Access, bit: number): boolean {
  const { mode } = access;
  if (mode === null) return true;
  const shift = access.uid === uid ? 6 : groups.has(access.gid ?? -1) ? 3 : 0;
  return (mode >> shift & bit) !== 0;
}

const unknown = { uid: undefined, gid: null };

function statOrNothing(path: string): { uid?: number; gid: number | null } {
  try {
    const { uid, gid } = Deno.statSync(path);
    return { uid: uid ?? undefined, gid };
  } catch {
    return unknown;
  }
}

/** Reads the unit, and the drop-ins that an operator has made. */
function readUnit() {
  const folders = ["/etc", "/run", "/usr/lib", "/lib"].map((root) => `${root}/systemd/system`);
  const unit = folders.map((folder) => readOrNothing(`${folder}/${unitName}`)).find(Boolean);
  const added = `${folders[0]}/${unitName}.d`;
  return unitUser([
    unit ?? "",
    ...namesIn(added).sort().map((name) => readOrNothing(`${added}/${name}`)),
  ]);
}

function namesIn(folder: string): string[] {
  try {
    return Array.from(Deno.readDirSync(folder), ({ name }) => name);
  } catch {
    return [];
  }
}

/** Returns the text of a file; an empty text for one that can't be read. */
export function readOrNothing(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch {
    return "";
  }
}

function rows(text: string): string[][] {
  return text.split("\n").filter(Boolean).map((line) => line.split(":"));
}
