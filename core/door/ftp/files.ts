/** Commands on files and folders that need no data connection. */
import { posix } from "node:path";
import { BargeError } from "../../error.ts";
import { digest } from "../../session/digest.ts";
import { mkdir } from "../../session/mkdir.ts";
import { move } from "../../session/move.ts";
import { quota } from "../../session/quota.ts";
import { remove } from "../../session/remove.ts";
import { setModified } from "../../session/set_modified.ts";
import { stat } from "../../session/stat.ts";
import type { Answer, Entry } from "../../protocol/message.ts";
import type { Access } from "../access.ts";
import type { Row, UserConnection } from "./row.ts";
import { formatTime, parseTime } from "./listing.ts";
import { pathExists, typeAt } from "./locate.ts";
import { Failed, quoted, type Reply, reply } from "./reply.ts";
import { type Algorithm, digestNames } from "./state.ts";

/** AVBL's answer for an account without a quota: the largest number that clients accept. */
const unlimitedBytes = "9223372036854775807";

const digestFacts = { path: true, logVerb: "digest", slow: true } as const;

export const fileRows: Record<string, Row> = {
  CWD: {
    help: ["[PATH]", "go to a folder; by default to /"],
    run: async (c, { argument }) => await enterFolder(c, await c.path(argument || "/")),
  },
  CDUP: {
    help: ["", "go to the parent folder"],
    run: async (c) => await enterFolder(c, await c.path("..")),
  },
  PWD: {
    help: ["", "show the current folder"],
    run: (c) => reply(257, `${quoted(c.state.folder)} is the current folder`),
  },
  MKD: {
    path: true,
    logVerb: "mkdir",
    help: ["PATH", "make a folder"],
    async run(c, { path }) {
      await mkdir(c.session, { verb: "mkdir", path, parents: false });
      return reply(257, `${quoted(path)} was made`);
    },
  },
  RMD: {
    path: true,
    logVerb: "remove",
    help: ["PATH", "remove an empty folder"],
    async run(c, { path }) {
      await checkFolder(c, path);
      await remove(c.session, path, false);
      return reply(250, "The folder was removed");
    },
  },
  DELE: {
    path: true,
    logVerb: "remove",
    help: ["PATH", "remove a file"],
    async run(c, { path }) {
      await fileAt(c, path, "RMD removes it");
      await remove(c.session, path, false);
      return reply(250, "The file was removed");
    },
  },
  RNFR: {
    path: true,
    help: ["PATH", "choose the file or folder that RNTO renames"],
    async run(c, { path }) {
      published(await stat(c.session, path));
      c.state.renameFrom = path;
      return reply(350, "Send the new name with RNTO");
    },
  },
  RNTO: {
    path: true,
    logVerb: "move",
    help: ["PATH", "rename what RNFR chose; FOLDER/ moves it into that folder"],
    async run(c, { argument, path }) {
      const from = c.state.renameFrom;
      if (from === undefined) {
        throw new Failed(503, "usage", "Bad sequence of commands: use RNFR first");
      }
      c.state.renameFrom = undefined;
      // A new path that ends in a slash names the folder to move the file into, as for `mv`.
      const into = argument.endsWith("/") && await typeAt(c.session, path) === "dir";
      await move(c.session, from, into ? posix.join(path, posix.basename(from)) : path, "always");
      return reply(250, "Renamed");
    },
  },
  SIZE: {
    path: true,
    logVerb: "stat",
    help: ["PATH", "show the size of a file, or the offset of a partial upload"],
    async run(c, { path }) {
      if (c.state.ascii) {
        const hint = "send TYPE I first";
        throw new Failed(550, "refused", "SIZE not allowed in ASCII mode", { path, hint });
      }
      const { entry, upload } = await fileAt(c, path);
      return reply(213, String(entry?.size ?? upload!.offset));
    },
  },
  MDTM: {
    path: true,
    logVerb: "stat",
    help: ["[YYYYMMDDhhmmss] PATH", "show the time of a file; or set it, as MFMT does"],
    async run(c, { argument, path, access }) {
      // Clients that lack MFMT set a time with `MDTM TIME PATH`. If the whole argument is the path of an
      // entry, MDTM shows the time of that entry instead.
      const { time, name } = timeAndName(argument);
      if (time !== undefined && !await pathExists(c.session, path)) {
        return touch(c, name, time, access);
      }
      return reply(213, formatTime(published(await fileAt(c, path)).modified));
    },
  },
  MFMT: {
    logVerb: "touch",
    help: ["YYYYMMDDhhmmss PATH", "set the time of a file, in UTC"],
    run(c, { argument, access }) {
      const { time, name } = timeAndName(argument);
      if (time === undefined) throw new Failed(501, "usage", "MFMT YYYYMMDDhhmmss PATH, in UTC");
      return touch(c, name, time, access);
    },
  },
  AVBL: {
    logVerb: "quota",
    help: ["[PATH]", "show the available bytes of the quota"],
    run: async (c) => reply(213, String((await quota(c.session)).left ?? unlimitedBytes)),
  },
  HASH: {
    ...digestFacts,
    help: ["PATH", "show the digest of a file, by the algorithm of OPTS HASH"],
    async run(c, { argument, path }) {
      const { algorithm } = c.state;
      const { digest, size } = await digestOf(c, path, algorithm);
      return reply(213, `${digestNames[algorithm]} 0-${size} ${digest} ${argument}`);
    },
  },
  XSHA256: digestRow("sha256"),
  XMD5: digestRow("md5"),
};

/** Splits an argument into a time and a path; the time is undefined if it is malformed. */
function timeAndName(argument: string): { time: number | undefined; name: string } {
  const [, text, name] = /^(\S+) ([^]+)$/.exec(argument) ?? [];
  return { time: text === undefined ? undefined : parseTime(text), name };
}

async function touch(
  c: UserConnection,
  name: string,
  time: number,
  access: Access,
): Promise<Reply> {
  const path = await c.path(name);
  access.becomes("touch", path);
  const modified = await setModified(c.session, path, time).catch((error) => {
    throw error instanceof BargeError ? error.with({ path }) : error;
  });
  return reply(213, `Modify=${formatTime(new Date(modified).toISOString())}; ${path}`);
}

function digestRow(algorithm: Algorithm): Row {
  return {
    ...digestFacts,
    help: ["PATH", `show the ${digestNames[algorithm]} of a file`],
    async run(c, { argument, path }) {
      const inQuotes = /^"([^]*)"$/.exec(argument)?.[1].replaceAll('""', '"');
      const unquoted = inQuotes !== undefined && !await pathExists(c.session, path);
      const { digest } = await digestOf(c, unquoted ? await c.path(inQuotes) : path, algorithm);
      return reply(250, digest);
    },
  };
}

/** Computes a digest. ABOR ends the computation, as it ends a transfer. */
async function digestOf(c: UserConnection, path: string, algorithm: Algorithm) {
  const aborting = c.transfer = new AbortController();
  const signal = AbortSignal.any([aborting.signal, c.ended.signal]);
  try {
    return await digest(c.session, { verb: "digest", path, algorithm, fresh: false }, signal);
  } finally {
    c.transfer = undefined;
  }
}

async function enterFolder(c: UserConnection, path: string): Promise<Reply> {
  await checkFolder(c, path);
  c.state.folder = path;
  return reply(250, `${quoted(path)} is the current folder`);
}

/** Checks that a path is a folder. @throws {BargeError} `refused` for a file or partial upload; `not-found` */
async function checkFolder(c: UserConnection, path: string): Promise<void> {
  const { entry } = await stat(c.session, path);
  if (entry?.type !== "dir") throw new BargeError("refused", "it is not a folder", { path });
}

/** Returns the file or partial upload at a path. @throws {BargeError} `refused` for a folder; `not-found` */
async function fileAt(c: UserConnection, path: string, hint?: string): Promise<Answer<"stat">> {
  const found = await stat(c.session, path);
  if (found.entry?.type !== "dir") return found;
  throw new BargeError("refused", "it is a folder", { path, hint });
}

/** Returns the entry at a path. @throws {BargeError} `not-found` if there is only a partial upload */
function published({ entry }: Answer<"stat">): Entry {
  if (entry) return entry;
  throw new BargeError("not-found", "the upload to this path has not ended");
}
