/** LIST, NLST, MLSD, MLST, and STAT, which is LIST on the control connection. */
import { posix } from "node:path";
import { counted } from "../../counted.ts";
import { BargeError } from "../../error.ts";
import type { Session } from "../../login/session.ts";
import type { Account } from "../../storage/account.ts";
import type { AccessRight } from "../../protocol/scope.ts";
import type { Entry } from "../../protocol/message.ts";
import { list } from "../../session/list.ts";
import { stat } from "../../session/stat.ts";
import { type Connection, needLogin, type Row, type UserConnection } from "./row.ts";
import { factsLine, longLine } from "./listing.ts";
import { pathExists } from "./locate.ts";
import { inLine } from "./name.ts";
import { isPattern, matches } from "./pattern.ts";
import { Failed, type Reply, reply } from "./reply.ts";
import { overData, send } from "./transfer.ts";

/** The most lines of a listing on the control connection. */
const maxStatusLines = 10_000;

const listing = { logVerb: "list", slow: true } as const;

export const listRows: Record<string, Row> = {
  LIST: {
    ...listing,
    help: ["[PATH]", "list a folder, as `ls -l`"],
    run: async (c, { argument }) => await sendList(c, await findListed(c, argument), longLines),
  },
  NLST: {
    ...listing,
    help: ["[PATH]", "list the names in a folder"],
    async run(c, { argument }) {
      const listed = await findListed(c, argument);
      return sendList(c, listed, ({ name }) => inLine(listed.prefix + name));
    },
  },
  MLSD: {
    ...listing,
    help: ["[PATH]", "list a folder, for programs"],
    async run(c, { argument }) {
      const path = await c.path(argument);
      const { entry } = await stat(c.session, path);
      if (entry?.type !== "dir") throw new Failed(501, "usage", "it is not a folder", { path });
      const listed = { path, prefix: "", entries: list(c.session, path, false) };
      const account = await c.session.account();
      return await sendList(c, listed, (entry) => facts(c, account, entry, path));
    },
  },
  MLST: {
    path: true,
    logVerb: "stat",
    help: ["[PATH]", "show one file or folder, for programs"],
    async run(c, { path }) {
      const entry = await entryAt(c, path);
      const account = await c.session.account();
      const line = facts(c, account, { ...entry, name: path }, posix.dirname(path));
      return { code: 250, text: `Facts of ${path}:`, lines: [line], last: "End" };
    },
  },
  STAT: {
    login: false,
    help: ["[PATH]", "show the state of the connection; or list a folder on it"],
    async run(c, { argument }) {
      if (argument === "") return status(c);
      return statusOf(await findListed(needLogin(c), argument));
    },
  },
};

/** The entries that a listing shows. */
interface Listed {
  readonly path: string;
  /** The part of the argument before the names. */
  readonly prefix: string;
  readonly entries: AsyncIterable<Entry[]> | Iterable<Entry[]>;
}

/**
 * Returns the entries that an argument of LIST means. Options of `ls` are ignored. A pattern in the last
 * part of a path means all names that match it.
 *
 * @throws {BargeError} `not-found`
 */
async function findListed(c: UserConnection, argument: string): Promise<Listed> {
  const options = /^(?:-[A-Za-z0-9]*(?: +|$))+/;
  const isName = !options.test(argument) || await pathExists(c.session, await c.path(argument));
  const name = isName ? argument : argument.replace(options, "");
  const path = await c.path(name);
  const cut = name.lastIndexOf("/") + 1;
  if (isPattern(name) && !await pathExists(c.session, path)) return await matching(c, name, cut);
  const entry = await entryAt(c, path);
  if (entry.type === "dir") return { path, prefix: "", entries: list(c.session, path, false) };
  return { path, prefix: name.slice(0, cut), entries: [[entry]] };
}

/** @param cut the length of the part of the name before the pattern */
async function matching(c: UserConnection, name: string, cut: number): Promise<Listed> {
  const prefix = name.slice(0, cut);
  const path = await c.path(prefix || ".");
  if (isPattern(prefix.slice(0, -1)) && !await pathExists(c.session, path)) {
    throw new BargeError("unsupported", "only the last part of a path can be a pattern");
  }
  const { entry } = await stat(c.session, path);
  if (entry?.type !== "dir") throw new BargeError("not-found", "there is no such folder", { path });
  return { path, prefix, entries: filtered(list(c.session, path, false), name.slice(cut)) };
}

async function* filtered(
  batches: AsyncIterable<Entry[]>,
  pattern: string,
): AsyncGenerator<Entry[], void, void> {
  for await (const batch of batches) {
    yield batch.filter(({ name }) => matches(pattern, inLine(name)));
  }
}

/** Returns the file or folder at a path; if there is none, the partial upload as a file. */
async function entryAt(c: UserConnection, path: string): Promise<Entry> {
  const { entry, upload } = await stat(c.session, path);
  if (entry) return entry;
  const name = posix.basename(path);
  const modified = new Date().toISOString();
  return { name, type: "file", size: upload!.offset, modified, owner: c.account, sha256: null };
}

type Format = (entry: Entry) => string;

const longLines: Format = (entry) => longLine(entry, Date.now());

async function sendList(c: UserConnection, { entries }: Listed, format: Format): Promise<Reply> {
  c.state.restart = 0;
  const encoder = new TextEncoder();
  let count = 0;
  await overData(c, "Opening data connection for the listing", async (data) => {
    for await (const batch of entries) {
      await send(data, encoder.encode(batch.map((entry) => `${format(entry)}\r\n`).join("")));
      count += batch.length;
    }
    await data.stream.end();
  });
  return reply(226, `Listing complete: ${counted(count, "entry", "entries")}`);
}

async function statusOf({ path, entries }: Listed): Promise<Reply> {
  const lines: string[] = [];
  for await (const batch of entries) {
    lines.push(...batch.map(longLines));
    if (lines.length > maxStatusLines) {
      const hint = "use LIST";
      throw new Failed(450, "refused", "the folder has too many entries for STAT", { path, hint });
    }
  }
  return { code: 213, text: `Status of ${path}:`, lines, last: "End of status" };
}

function status(c: Connection): Reply {
  const { ascii, folder, protect } = c.state;
  const lines = [
    `Connected to ${c.local} from ${c.host}`,
    c.tls ? "This connection is encrypted" : "This connection is in the clear",
    c.session ? `Logged in as ${c.account}, in ${folder}` : "Not logged in",
    `TYPE ${ascii ? "A" : "I"}; STRU F; MODE S; PROT ${protect ? "P" : "C"}`,
    c.transfer ? "A transfer is under way" : "No transfer is under way",
  ];
  return { code: 211, text: "Status:", lines, last: "End of status" };
}

/** @param folder the entry's folder */
function facts(c: UserConnection, account: Account, entry: Entry, folder: string): string {
  return factsLine(entry, c.state.facts, permissions(c.session, account, entry, folder));
}

/** The rights that each access of a token leaves. */
const rightsOf: Readonly<Record<AccessRight, RegExp>> = {
  full: /./g,
  "append-only": /[celmr]/g,
  "read-only": /[elr]/g,
};

/** Returns the session's rights on an entry (RFC 3659, section 7.5.5), by the rules of core/login/access.ts. */
function permissions(
  session: Session,
  account: Account,
  entry: Entry,
  folder: string,
): string {
  const { type, name } = entry;
  if (name === "/" || !session.reaches(posix.resolve(folder, name))) return "el";
  const rights = folder === "/"
    ? "celmp"
    : type === "dir"
    ? "cdeflmp"
    : mayChange(account, entry, folder)
    ? "adfrw"
    : "r";
  return rights.match(rightsOf[session.scope.access])!.join("");
}

function mayChange({ role, name }: Account, { owner }: Entry, folder: string): boolean {
  return !/^\/public(\/|$)/.test(folder) || role === "admin" || owner === name;
}
