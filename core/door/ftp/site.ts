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
      const name = verb.toUpperCase();
      if (name === "HELP") return siteHelp(rest.trim().toUpperCase());
      const command = commands.get(name);
      if (command) return command.run(needLogin(c), rest, access);
      throw new Failed(501, "unsupported", "Unknown SITE command; SITE HELP lists them");
    },
  },
};

interface SiteCommand {
  readonly help: string;
  run(c: UserConnection, argument: string, access: Access): Promise<Reply>;
}

const commands = new Map<string, SiteCommand>(Object.entries(
  {
    CHMOD: {
      // Clients that preserve modes would fail without this command.
      help: "SITE CHMOD MODE PATH: accepted and ignored; modes are not kept",
      async run(c, argument) {
        const [, mode, path] = /^ *([0-7]{3,4}) ([^]+)$/.exec(argument) ?? [];
        if (mode === undefined) throw new Failed(501, "usage", "SITE CHMOD MODE PATH, as in 644 a");
        await stat(c.session, await c.path(path));
        return reply(200, "Modes are not kept; nothing has changed");
      },
    },
    QUOTA: {
      help: "SITE QUOTA: show the used, reserved and available bytes",
      async run(c) {
        const { account, used, reserved, limit, left } = await quota(c.session);
        const lines = Object.entries({ used, reserved, limit, left })
          .map(([name, bytes]) => `${name} ${bytes ?? "none"}`);
        return { code: 211, text: `Quota of ${account}, in bytes:`, lines, last: "End" };
      },
    },
    UTIME: {
      help: "SITE UTIME YYYYMMDDhhmmss PATH: set a file's time, in UTC",
      /** Also accepts `SITE UTIME PATH ACCESSED MODIFIED CREATED UTC`. */
      async run(c, argument, access) {
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
    },
  } satisfies Record<string, SiteCommand>,
));

/** Returns the help of one command of SITE, or of all. @param verb the command; empty for all */
export function siteHelp(verb = ""): Reply {
  const helps = new Map(Array.from(commands, ([name, { help }]) => [name, help]));
  helps.set("HELP", "SITE HELP [COMMAND]: list these commands");
  if (verb === "") {
    return {
      code: 214,
      text: "SITE commands:",
      lines: Array.from(helps.values()).sort(),
      last: "End",
    };
  }
  const help = helps.get(verb);
  if (help === undefined) throw new Failed(501, "unsupported", "Unknown command");
  return reply(214, help);
}
