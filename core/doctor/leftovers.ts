/** Looks in the data directory for files that were meant to be there for a while only. */
import { existsSync } from "node:fs";
import { adminPasswordFile } from "../local/account/admin_password.ts";
import { databaseFile } from "../local/database/database.ts";
import { markedAddress, type Marker } from "../migrate/marker.ts";
import type { Verdict } from "./finding.ts";
import type { LocalSetup } from "./setup.ts";

/** Returns a verdict for each marker and each leftover file. */
export function checkLeftovers({ data }: LocalSetup): Verdict[] {
  const verdicts = [
    ...markerVerdict(data, "migrated"),
    ...markerVerdict(data, "incomplete"),
    ...passwordVerdict(data),
    ...copyVerdicts(data),
  ];
  if (verdicts.length > 0) return verdicts;
  const message = "The data directory has no marker of a migration, and no leftover files.";
  return [{ severity: "ok", message }];
}

function markerVerdict(data: string, marker: Marker): Verdict[] {
  const path = `${data}/${marker}`;
  const address = markedAddress(data, marker);
  if (address === undefined) return [];
  const [message, advice] = marker === "migrated"
    ? [
      `The data directory was migrated to ${address}, and no server starts on it.`,
      "Serve that storage; or, to go back to the directory as it was then, remove this file.",
    ]
    : [
      `The data directory is an incomplete copy of ${address}, and no server starts on it.`,
      "Run the same `barge migrate` again: it goes on.",
    ];
  return [{ severity: "bad", message, advice, path }];
}

function passwordVerdict(data: string): Verdict[] {
  const path = `${data}/${adminPasswordFile}`;
  if (!existsSync(path)) return [];
  const message = "The first admin's password is still in a file.";
  const advice = "Log in with it and change it (`barge passwd`), which removes the file.";
  return [{ severity: "warn", message, advice, path }];
}

/** Copies of the database that an upgrade or a killed `barge backup` has left. */
function copyVerdicts(data: string): Verdict[] {
  const copies = Array.from(Deno.readDirSync(data), ({ name }) => name).filter((name) =>
    name.startsWith(`${databaseFile}.version-`) || /^\..*\.part$/.test(name)
  ).sort();
  return copies.map((name) => ({
    severity: "note",
    message: name.endsWith(".part")
      ? "A backup that was killed has left a part of a copy of the database; it can be removed."
      : "An upgrade has kept a copy of the old database; it can be removed once you will not go back.",
    path: `${data}/${name}`,
  }));
}
