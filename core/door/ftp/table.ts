/** All commands: one row each. */
import { channelRows } from "./channel.ts";
import type { Row } from "./row.ts";
import { fileRows } from "./files.ts";
import { listRows } from "./list.ts";
import { loginRows } from "./login.ts";
import { Failed, type Reply, reply } from "./reply.ts";
import { retrieveRows } from "./retrieve.ts";
import { settingRows } from "./settings.ts";
import { siteHelp, siteRows } from "./site.ts";
import { storeRows } from "./store.ts";

const rows: Record<string, Row> = {
  ...loginRows,
  ...settingRows,
  ...channelRows,
  ...retrieveRows,
  ...storeRows,
  ...listRows,
  ...fileRows,
  ...siteRows,
  ABOR: {
    help: ["", "end the running transfer"],
    run(c) {
      const ended = c.aborted;
      c.aborted = false;
      c.data.close();
      return ended
        ? reply(226, "The transfer was aborted")
        : reply(225, "No transfer to abort; the data connection is closed");
    },
  },
  HELP: {
    login: false,
    help: ["[COMMAND]", "list the commands, or describe one"],
    run: (_, { argument }) => help(argument.trim().toUpperCase()),
  },
};

/** The commands' older names (RFC 775). */
const aliases = { XCWD: "CWD", XCUP: "CDUP", XPWD: "PWD", XMKD: "MKD", XRMD: "RMD" };

export const table: ReadonlyMap<string, Row> = new Map([
  ...Object.entries(rows),
  ...Object.entries(aliases).map(([alias, verb]) => [alias, rows[verb]] as const),
]);

function help(verb: string): Reply {
  if (verb === "") {
    const verbs = Array.from(table.keys(), (name) => name.padEnd(8)).sort();
    const lines = verbs.join("").match(/.{1,64}/g)!.map((line) => line.trimEnd());
    return { code: 214, text: "Commands; HELP COMMAND describes one:", lines, last: "End" };
  }
  if (verb === "SITE") return siteHelp();
  const row = table.get(verb);
  if (!row) throw new Failed(501, "unsupported", "Unknown command");
  const [syntax, description] = row.help;
  return reply(214, `${[verb, syntax].filter(Boolean).join(" ")}: ${description}`);
}
