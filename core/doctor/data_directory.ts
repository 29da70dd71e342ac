/** Checks that the data directory exists, holds a server's data, and can be read by this user. */
import { existsSync } from "node:fs";
import { databaseFile } from "../local/database/database.ts";
import { otherServers } from "../serve/running_servers.ts";
import type { Verdict } from "./finding.ts";
import type { LocalSetup } from "./setup.ts";

/** Returns one verdict: `bad` where the directory is missing or closed to this user, `warn` without a database. */
export function checkDataDirectory({ data }: LocalSetup): Verdict[] {
  try {
    [...Deno.readDirSync(data)];
  } catch (error) {
    if (error instanceof Deno.errors.PermissionDenied) {
      const message = "This user can't read the data directory.";
      return [{
        severity: "bad",
        message,
        advice: "Run doctor as its owner, or as root.",
        path: data,
      }];
    }
    if (error instanceof Deno.errors.NotADirectory) {
      const message = "The data directory is not a folder.";
      return [{ severity: "bad", message, advice: "Name another with --data.", path: data }];
    }
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    const message = "There is no data directory.";
    const advice = "Name the server's directory with --data; the first `barge serve` makes it." +
      serversSentence(data);
    return [{ severity: "bad", message, advice, path: data }];
  }
  if (existsSync(`${data}/${databaseFile}`)) {
    return [{ severity: "ok", message: "The data directory has a database.", path: data }];
  }
  const message = "The data directory has no database.";
  const advice = "Name the server's directory with --data, or restore accounts.db from a backup; " +
    "the first `barge serve` on an empty directory makes it." + serversSentence(data);
  return [{ severity: "warn", message, advice, path: data }];
}

/** Returns a sentence that names the servers on other directories; "" for none. */
function serversSentence(data: string): string {
  const others = otherServers(data);
  return others === undefined ? "" : ` ${others[0].toUpperCase()}${others.slice(1)}.`;
}
