/** All commands: one row each. */
import { channelRows } from "./channel.ts";
import type { Connection, Row } from "./row.ts";
import { fileRows } from "./files.ts";
import { listRows } from "./list.ts";
import { loginRows } from "./login.ts";
import { reply } from "./reply.ts";
import { retrieveRows } from "./retrieve.ts";
import { settingRows } from "./settings.ts";
import { siteRows } from "./site.ts";
import { storeRows } from "./store.ts";

const abort: Row = {
  argument: "none",
  login: true,
  help: ["", "end the running transfer"],
  run(c: Connection) {
    const ended = c.aborted;
    c.aborted = false;
    c.data.close();
    return ended
      ? reply(226, "The transfer was aborted")
      : reply(225, "No transfer to abort; the data connection is closed");
  },
};

export const table: ReadonlyMap<string, Row> = new Map(Object.entries({
  ...loginRows,
  ...settingRows(helps),
  ...channelRows,
  ...retrieveRows,
  ...storeRows,
  ABOR: abort,
  ...listRows,
  ...fileRows,
  ...siteRows,
}));

function* helps(): Generator<readonly [string, Row["help"]]> {
  for (const [verb, { help }] of table) yield [verb, help];
}
