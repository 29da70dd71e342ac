/** Commands on files and folders that need no data connection. */
import { BargeError } from "../../error.ts";
import { digest } from "../../session/digest.ts";
import { mkdir } from "../../session/mkdir.ts";
import { move } from "../../session/move.ts";
import { quota } from "../../session/quota.ts";
import { remove } from "../../session/remove.ts";
import { setModified } from "../../session/set_modified.ts";
import { stat } from "../../session/stat.ts";
import type { Access } from "../access.ts";
import type { Row, UserConnection } from "./row.ts";
import { formatTime, parseTime } from "./listing.ts";
import { isFolder, isThere } from "./locate.ts";
import { resolve } from "./path.ts";
import { Failed, quoted, type Reply, reply } from "./reply.ts";

/** AVBL's answer for an account without a quota: the largest number that clients accept. */
const unlimitedBytes = "9223372036854775807";

const cwd: Row = {
  argument: "optional",
  login: true,
  help: ["[PATH]", "go to a folder; by default to /"],
  run: async (c, argument) => await enterFolder(c, await c.path(argument || "/")),
};
const cdup: Row = {
  argument: "none",
  login: true,
  help: ["", "go to the parent folder"],
  run: async (c) => await enterFolder(c, await c.path("..")),
};
const pwd: Row = {
  argument: "none",
  login: true,
  help: ["", "show the current folder"],
  run: (c) => reply(257, `${quoted(c.state.folder)} is the current folder`),
};
const mkd: Row = {
  argument: "needed",
  path: true,
  login: true,
  does: "mkdir",
  help: ["PATH", "make a folder"],
  async run(c, argument) {
    const path = await c.path(argument);
    await mkdir(c.session, { verb: "mkdir", path, parents: false });
    return reply(257, `${quoted(path)} was made`);
  },
};
const rmd: Row = {
  argument: "needed",
  path: true,
  login: true,
  does: "remove",
  help: ["PATH", "remove an empty folder"],
  async run(c, argument) {
    const path = await c.path(argument);
    const { entry } = await stat(c.session, path);
    if (entry?.type !== "dir") throw new BargeError("refused", "it is not a folder", { path });
    await remove(c.session, path, false);
    return reply(250, "The folder was removed");
  },
};

export const fileRows: Record<string, Row> = {
  CWD: cwd,
  XCWD: cwd,
  CDUP: cdup,
  XCUP: cdup,
  PWD: pwd,
  XPWD: pwd,
  MKD: mkd,
  XMKD: mkd,
  RMD: rmd,
  XRMD: rmd,
  DELE: {
    argument: "needed",
    path: true,
    login: true,
    does: "remove",
    help: ["PATH", "remove a file"],
    async run(c, argument) {
      const path = await c.path(argument);
      const { entry } = await stat(c.session, path);
      if (entry?.type === "dir") {
        throw new BargeError("refused", "it is a folder", { path, hint: "RMD removes it" });
      }
      await remove(c.session, path, false);
      return reply(250, "The file was removed");
    },
  },
  RNFR: {
    argument: "needed",
    path: true,
    login: true,
    help: ["PATH", "choose the file or folder that RNTO renames"],
    async run(c, argument) {
      const path = await c.path(argument);
      if (!(await stat(c.session, path)).entry) {
        throw new BargeError(
          "not-found",
          "the upload to it has not ended",
        );
      }
      c.state.renameFrom = path;
      return reply(350, "Send the new name with RNTO");
    },
  },
  RNTO: {
    argument: "needed",
    path: true,
    login: true,
    does: "move",
    help: ["PATH", "rename what RNFR chose; FOLDER/ moves it into that folder"],
    async run(c, argument) {
      const from = c.state.renameFrom;
      if (from === undefined) {
        throw new Failed(503, "usage", "Bad sequence of commands: use RNFR first");
      }
      c.state.renameFrom = undefined;
      const to = await c.path(argument);
      // A slash at the end names the folder to move it into, as for mv.
      const into = argument.endsWith("/") && await isFolder(c.session, to);
      await move(c.session, from, into ? resolve(to, nameIn(from)) : to, "always");
      return reply(250, "Renamed");
    },
  },
  SIZE: {
    argument: "needed",
    path: true,
    login: true,
    does: "stat",
    help: ["PATH", "show the size of a file, or the offset of a partial upload"],
    async run(c, argument) {
      const path = await c.path(argument);
      if (c.state.ascii) {
        const hint = "send TYPE I first";
        throw new Failed(550, "refused", "SIZE not allowed in ASCII mode", { path, hint });
      }
      const { entry, upload } = await stat(c.session, path);
      if (entry?.type === "dir") throw new BargeError("refused", "it is a folder", { path });
      return reply(213, String(entry?.size ?? upload!.offset));
    },
  },
  MDTM: {
    argument: "needed",
    path: true,
    login: true,
    does: "stat",
    help: ["[YYYYMMDDhhmmss] PATH", "show the time of a file; or set it, as MFMT does"],
    async run(c, argument, access) {
      const path = await c.path(argument);
      // Clients older than MFMT set a time with MDTM. A file of that whole name has precedence.
      const { time, name } = timeAndName(argument);
      if (time !== undefined && !await isThere(c.session, path)) {
        return touch(c, name, time, access);
      }
      const { entry } = await stat(c.session, path);
      if (!entry) {
        throw new BargeError(
          "not-found",
          "the upload to it has not ended",
        );
      }
      if (entry.type === "dir") throw new BargeError("refused", "it is a folder", { path });
      return reply(213, formatTime(entry.modified));
    },
  },
  MFMT: {
    argument: "needed",
    login: true,
    does: "touch",
    help: ["YYYYMMDDhhmmss PATH", "set the time of a file, in UTC"],
    run(c, argument, access) {
      const { time, name } = timeAndName(argument);
      if (time === undefined) throw new Failed(501, "usage", "MFMT YYYYMMDDhhmmss PATH, in UTC");
      return touch(c, name, time, access);
    },
  },
  AVBL: {
    argument: "optional",
    login: true,
    does: "quota",
    help: ["[PATH]", "show the available bytes of the quota"],
    run: async (c) => reply(213, String((await quota(c.session)).left ?? unlimitedBytes)),
  },
  HASH: {
    argument: "needed",
    path: true,
    login: true,
    does: "digest",
    slow: true,
    help: ["PATH", "show the digest of a file, by the algorithm of OPTS HASH"],
    async run(c, argument) {
      const path = await c.path(argument);
      const { algorithm } = c.state;
      const { digest, size } = await digestOf(c, path, algorithm);
      const name = algorithm === "md5" ? "MD5" : "SHA-256";
      return reply(213, `${name} 0-${size} ${digest} ${argument}`);
    },
  },
  XSHA256: digestRow("sha256"),
  XMD5: digestRow("md5"),
};

/** Splits an argument into a time and a path; the time is undefined where it is malformed. */
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

function digestRow(algorithm: "sha256" | "md5"): Row {
  return {
    argument: "needed",
    path: true,
    login: true,
    does: "digest",
    slow: true,
    help: ["PATH", `show the ${algorithm === "md5" ? "MD5" : "SHA-256"} of a file`],
    async run(c, argument) {
      const literal = await c.path(argument);
      const quoted = /^"([^]*)"$/.exec(argument)?.[1].replaceAll('""', '"');
      const path = quoted === undefined || await isThere(c.session, literal)
        ? literal
        : await c.path(quoted);
      const { digest } = await digestOf(c, path, algorithm);
      return reply(250, digest);
    },
  };
}

/** Computes a digest, which ABOR ends as it does a transfer. */
async function digestOf(c: UserConnection, path: string, algorithm: "sha256" | "md5") {
  const aborting = c.transfer = new AbortController();
  try {
    return await digest(
      c.session,
      { verb: "digest", path, algorithm, fresh: false },
      AbortSignal.any([aborting.signal, c.ended.signal]),
    );
  } finally {
    c.transfer = undefined;
  }
}

function nameIn(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

async function enterFolder(c: UserConnection, path: string): Promise<Reply> {
  const { entry } = await stat(c.session, path);
  if (entry?.type !== "dir") throw new BargeError("refused", "it is not a folder", { path });
  c.state.folder = path;
  return reply(250, `${quoted(path)} is the current folder`);
}
