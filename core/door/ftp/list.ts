/** LIST, NLST, MLSD, MLST, and STAT, which is LIST on the control connection. */
import { BargeError } from "../../error.ts";
import type { Account } from "../../storage/account.ts";
import type { Entry } from "../../protocol/message.ts";
import { list } from "../../session/list.ts";
import { stat } from "../../session/stat.ts";
import { type Connection, needLogin, type Row, type UserConnection } from "./row.ts";
import { factsLine, longLine } from "./listing.ts";
import { isThere } from "./locate.ts";
import { inLine } from "./name.ts";
import { isPattern, matches, resolve } from "./path.ts";
import { Failed, type Reply, reply } from "./reply.ts";
import { overData, send } from "./transfer.ts";

/** The most lines of a listing on the control connection. */
const maxStatusLines = 10_000;

export const listRows: Record<string, Row> = {
  LIST: {
    argument: "optional",
    login: true,
    does: "list",
    slow: true,
    help: ["[PATH]", "list a folder, as `ls -l`"],
    run: async (c, argument) => await sendList(c, await findListed(c, argument), longLines),
  },
  NLST: {
    argument: "optional",
    login: true,
    does: "list",
    slow: true,
    help: ["[PATH]", "list the names in a folder"],
    async run(c, argument) {
      const what = await findListed(c, argument);
      return sendList(c, what, ({ name }) => inLine(what.prefix + name));
    },
  },
  MLSD: {
    argument: "optional",
    login: true,
    does: "list",
    slow: true,
    help: ["[PATH]", "list a folder, for programs"],
    async run(c, argument) {
      const path = await c.path(argument);
      const { entry } = await stat(c.session, path);
      if (entry?.type !== "dir") throw new Failed(501, "usage", "it is not a folder", { path });
      const what = { path, prefix: "", entries: list(c.session, path, false) };
      const account = await c.session.account();
      return await sendList(c, what, (entry) => facts(c, account, entry, path));
    },
  },
  MLST: {
    argument: "optional",
    path: true,
    login: true,
    does: "stat",
    help: ["[PATH]", "show one file or folder, for programs"],
    async run(c, argument) {
      const path = await c.path(argument);
      const entry = await entryAt(c, path);
      const account = await c.session.account();
      const line = facts(c, account, { ...entry, name: path }, resolve(path, ".."));
      return { code: 250, text: `Facts of ${path}:`, lines: [line], last: "End" };
    },
  },
  STAT: {
    argument: "optional",
    login: false,
    does: undefined,
    help: ["[PATH]", "show the state of the connection; or list a folder on it"],
    async run(c, argument) {
      if (argument === "") return status(c);
      return statusOf(await findListed(needLogin(c), argument));
    },
  },
};

/** The entries that a listing shows. */
interface Listed {
  readonly path: string;
  /** The part of the argument in front of the names. */
  readonly prefix: string;
  readonly entries: AsyncIterable<Entry[]>;
}

/**
 * Returns the entries that an argument of LIST means: options of `ls` are ignored, and a pattern in
 * the last part means the names that match.
 *
 * @throws {BargeError} `not-found`
 */
async function findListed(c: UserConnection, argument: string): Promise<Listed> {
  const words = /^(?:-[A-Za-z0-9]*(?: +|$))+/;
  const literal = await c.path(argument);
  const name = words.test(argument) && !await isThere(c.session, literal)
    ? argument.replace(words, "")
    : argument;
  const path = await c.path(name);
  if (isPattern(name) && !await isThere(c.session, path)) return await matching(c, name);
  const { entry } = await stat(c.session, path);
  if (entry?.type === "dir") return { path, prefix: "", entries: list(c.session, path, false) };
  const one = await entryAt(c, path);
  return { path, prefix: name.slice(0, name.lastIndexOf("/") + 1), entries: only(one) };
}

async function matching(c: UserConnection, name: string): Promise<Listed> {
  const cut = name.lastIndexOf("/") + 1;
  const prefix = name.slice(0, cut);
  const path = await c.path(prefix || ".");
  if (isPattern(prefix.slice(0, -1)) && !await isThere(c.session, path)) {
    throw new BargeError("unsupported", "only the last part of a path can be a pattern");
  }
  const { entry } = await stat(c.session, path);
  if (entry?.type !== "dir") throw new BargeError("not-found", "there is no such folder", { path });
  const all = list(c.session, path, false);
  const pattern = name.slice(cut);
  return { path, prefix, entries: filtered(all, ({ name }) => matches(pattern, inLine(name))) };
}

/** Returns the file or folder at a path; if there is none, the partial upload as a file. */
async function entryAt(c: UserConnection, path: string): Promise<Entry> {
  const { entry, upload } = await stat(c.session, path);
  if (entry) return entry;
  const name = path.slice(path.lastIndexOf("/") + 1);
  const modified = new Date().toISOString();
  return { name, type: "file", size: upload!.offset, modified, owner: c.account, sha256: null };
}

async function* only(entry: Entry): AsyncGenerator<Entry[], void, void> {
  yield [entry];
}

async function* filtered(
  batches: AsyncIterable<Entry[]>,
  wanted: (entry: Entry) => boolean,
): AsyncGenerator<Entry[], void, void> {
  for await (const batch of batches) yield batch.filter(wanted);
}

type Format = (entry: Entry) => string;

const longLines: Format = (entry) => longLine(entry, Date.now());

async function sendList(
  c: UserConnection,
  { entries }: Listed,
  format: Format,
): Promise<Reply> {
  c.state.restart = 0;
  const encoder = new TextEncoder();
  let count = 0;
  await overData(c, "Opening data connection for the listing", async (data) => {
    for await (const batch of entries) {
      const bytes = encoder.encode(batch.map((entry) => `${format(entry)}\r\n`).join(""));
      await send(data, bytes);
      count += batch.length;
    }
    await data.stream.end();
  });
  return reply(226, `Listing complete: ${count} ${count === 1 ? "entry" : "entries"}`);
}

async function statusOf({ path, entries }: Listed): Promise<Reply> {
  const lines: string[] = [];
  for await (const batch of entries) {
    lines.push(...batch.map(longLines));
    if (lines.length > maxStatusLines) {
      throw new Failed(450, "refused", "the folder has too many entries for STAT", {
        path,
        hint: "use LIST",
      });
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
  return factsLine(entry, c.state.facts, permissions(account, entry, folder));
}

/** Returns the account's rights on an entry (RFC 3659, section 7.5.5), as core/login/access.ts has them. */
function permissions(account: Account, { type, name, owner }: Entry, folder: string): string {
  if (name === "/") return "el";
  if (folder === "/") return "celmp";
  if (type === "dir") return "cdeflmp";
  const guarded = /^\/public(\/|$)/.test(folder) && account.role !== "admin" &&
    owner !== account.name;
  return guarded ? "r" : "adfrw";
}
