/**
 * The saved logins: one token for each server and account, the newest last, which is the default, unless a logout
 * has left several.
 * The file $XDG_CONFIG_HOME/barge/logins.json is readable by its owner alone.
 */
import * as v from "valibot";
import { BargeError, typed } from "../../core/error.ts";
import { configPath } from "../_config/path.ts";

const login = v.object({
  host: v.string(),
  port: v.number(),
  account: v.string(),
  id: v.string(),
  token: v.string(),
  /** Whether the login was made over TLS; logins of old versions lack it. */
  tls: v.optional(v.boolean()),
});
const file = v.object({
  logins: v.array(login),
  /** True after a logout that left several logins: none of them is the default. */
  unchosen: v.optional(v.boolean()),
});

export type Login = v.InferOutput<typeof login>;
type SavedLogins = v.InferOutput<typeof file>;

/** Returns the path of the saved logins. @throws {BargeError} `usage` without a home */
export function loginsPath(): string {
  const path = configPath("logins.json");
  if (path !== undefined) return path;
  throw new BargeError("usage", "logins can't be saved: HOME is not set", {
    hint: "set HOME or XDG_CONFIG_HOME, or use --server with --password-file",
  });
}

/** Returns all saved logins. @throws {BargeError} `denied` if other users can access the file */
export function readLogins(): Login[] {
  return readFile().logins;
}

/** Returns the login that verbs use if no server is named. @throws {BargeError} as {@link readLogins} */
export function defaultLogin(): Login | undefined {
  const { logins, unchosen } = readFile();
  return unchosen ? undefined : logins.at(-1);
}

function readFile(): SavedLogins {
  const path = configPath("logins.json");
  if (path === undefined) return { logins: [] };
  let text: string;
  try {
    using handle = Deno.openSync(path);
    const facts = handle.statSync();
    checkOwner(path, facts);
    text = readAll(handle, facts.size);
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound) return { logins: [] };
    throw typed(cause, { op: "read logins", path });
  }
  const result = v.safeParse(v.pipe(v.string(), v.parseJson(), file), text);
  if (result.success) return result.output;
  throw new BargeError("fatal", "the file is damaged", {
    op: "read logins",
    path,
    hint: "remove it and log in again",
  });
}

/** Changes the saved logins under a lock; readers see the old or the new file. */
export async function changeLogins(
  change: (saved: SavedLogins) => SavedLogins,
): Promise<void> {
  const path = loginsPath();
  const temporary = `${path}.${crypto.randomUUID()}`;
  try {
    const { dirname } = await import("node:path"); // most commands change nothing, and start faster
    await Deno.mkdir(dirname(path), { recursive: true, mode: 0o700 });
    using lock = await Deno.open(`${path}.lock`, { create: true, write: true, mode: 0o600 });
    await lock.lock(true);
    const text = JSON.stringify(change(readFile()), null, 2) + "\n";
    {
      using handle = await Deno.open(temporary, { createNew: true, write: true, mode: 0o600 });
      handle.writeSync(new TextEncoder().encode(text));
      await handle.sync();
    }
    await Deno.rename(temporary, path);
  } catch (cause) {
    await Deno.remove(temporary).catch(() => {/* it may not exist */});
    throw typed(cause, { op: "save login", path });
  }
}

/** Returns whether a login is for this server and, if one is named, this account. */
export function fits(
  login: Login,
  at: { readonly host: string; readonly port: number; readonly account?: string },
): boolean {
  return login.host === at.host && login.port === at.port &&
    (at.account === undefined || login.account === at.account);
}

/** Reads a file that is replaced, and never changed in place. */
function readAll(handle: Deno.FsFile, size: number): string {
  const bytes = new Uint8Array(size);
  let length = 0;
  for (let n; (n = handle.readSync(bytes.subarray(length)));) length += n;
  return new TextDecoder().decode(bytes.subarray(0, length));
}

function checkOwner(path: string, info: Deno.FileInfo): void {
  if (Deno.build.os === "windows" || info.mode === null) return;
  const why = info.uid !== Deno.uid()
    ? "the file belongs to another user"
    : info.mode & 0o077
    ? "other users can read or write the file"
    : undefined;
  if (!why) return;
  throw new BargeError("denied", why, { op: "read logins", path, hint: `chmod 600 ${path}` });
}
