/** SITE: extensions of this server (RFC 959, 4.1.3). */
import { quota } from "../../session/quota.ts";
import { setModified } from "../../session/set_modified.ts";
import { stat } from "../../session/stat.ts";
import type { Access } from "../access.ts";
import { needLogin, type Row, type UserConnection } from "./row.ts";
import { parseTime } from "./listing.ts";
import { Failed, type Reply, reply } from "./reply.ts";

export const siteRows: Record<string, Row> = {
  SITE: {
    login: false,
    help: ["COMMAND", "HELP, QUOTA, CHMOD, UTIME"],
    run(c, { argument, access }) {
      const [, verb, rest] = /^ *(\S*) ?([^]*)$/.exec(argument)!;
      const command = verb.toUpperCase();
      if (command === "HELP") return siteHelp(rest.trim().toUpperCase());
      const run = Object.hasOwn(commands, command) ? commands[command] : undefined;
      if (!run) throw new Failed(501, "unsupported", "Unknown SITE command; SITE HELP lists them");
      return run(needLogin(c), rest, access);
    },
  },
};

type Run = (c: UserConnection, argument: string, access: Access) => Reply | Promise<Reply>;

const commands: Record<string, Run> = {
  async QUOTA(c) {
    const { account, used, reserved, limit, left } = await quota(c.session);
    const bytes = (n: number | null) => n === null ? "none" : String(n);
    return {
      code: 211,
      text: `Quota of ${account}, in bytes:`,
      lines: [
        `used ${used}`,
        `reserved ${reserved}`,
        `limit ${bytes(limit)}`,
        `left ${bytes(left)}`,
      ],
      last: "End",
    };
  },
  /** Accepts and ignores modes, so that clients that preserve them do not fail. */
  async CHMOD(c, argument) {
    const [, mode, path] = /^ *([0-7]{3,4}) ([^]+)$/.exec(argument) ?? [];
    if (mode === undefined) throw new Failed(501, "usage", "SITE CHMOD MODE PATH, as in 644 a");
    await stat(c.session, await c.path(path));
    return reply(200, "Modes are not kept; nothing has changed");
  },
  /** `SITE UTIME TIME PATH`, and `SITE UTIME PATH ACCESSED MODIFIED CREATED UTC`. */
  async UTIME(c, argument, access) {
    const long = /^([^]+) (?:\d{12,14}) (\d{12,14}) (?:\d{12,14}) UTC$/i.exec(argument);
    const short = /^ *(\d{12,14}) ([^]+)$/.exec(argument);
    const [path, text] = long ? [long[1], long[2]] : short ? [short[2], short[1]] : [];
    const time = text === undefined ? undefined : parseTime(text.padEnd(14, "0"));
    if (path === undefined || time === undefined) {
      throw new Failed(501, "usage", "SITE UTIME YYYYMMDDhhmmss PATH, in UTC");
    }
    const changed = await c.path(path);
    access.becomes("touch", changed);
    await setModified(c.session, changed, time);
    return reply(200, "Time set");
  },
};

const helps: Readonly<Record<string, string>> = {
  CHMOD: "SITE CHMOD MODE PATH: accepted and ignored; modes are not kept",
  HELP: "SITE HELP [COMMAND]: list these commands",
  QUOTA: "SITE QUOTA: show the used, reserved and available bytes",
  UTIME: "SITE UTIME YYYYMMDDhhmmss PATH: set a file's time, in UTC",
};

/** @param verb one of them; by default all */
export function siteHelp(verb = ""): Reply {
  if (verb === "") {
    return { code: 214, text: "SITE commands:", lines: Object.values(helps), last: "End" };
  }
  if (!Object.hasOwn(helps, verb)) throw new Failed(501, "unsupported", "Unknown command");
  return reply(214, helps[verb]);
}
