/** Files in a data directory on which no server may start. */
import { existsSync } from "node:fs";
import { createSynced } from "../disk/sync_file.ts";
import { BargeError, typed } from "../error.ts";

/** `migrated`: the data is now in the storage that the marker names. `incomplete`: a copy is not complete. */
export type Marker = "migrated" | "incomplete";

/** Writes a marker, unless it exists. @param address the address of the other storage, without secrets */
export function mark(data: string, marker: Marker, address: string): Promise<void> {
  return changed(data, async (path) => {
    if (markedAddress(data, marker)) return;
    if (existsSync(path)) await Deno.remove(path); // a crash has left it empty
    await createSynced(path, `${address}\n`);
  }, marker);
}

/** Removes a marker. */
export function unmark(data: string, marker: Marker): Promise<void> {
  return changed(data, (path) => Deno.remove(path), marker);
}

/** Returns the address in a marker; undefined for none. */
export function markedAddress(data: string, marker: Marker): string | undefined {
  try {
    return Deno.readTextFileSync(`${data}/${marker}`).trim();
  } catch {
    return undefined;
  }
}

/** Refuses a marked directory. @throws {BargeError} `fatal` if it was migrated, or its copy is not complete */
export function refuseMarked(data: string): void {
  const to = markedAddress(data, "migrated");
  if (to !== undefined) {
    throw new BargeError("fatal", `it was migrated to ${to}`, {
      op: "use data directory",
      path: data,
      hint:
        "serve that storage; or, to go back to this directory as it was then, remove its file " +
        "`migrated`",
    });
  }
  const from = markedAddress(data, "incomplete");
  if (from === undefined) return;
  throw new BargeError("fatal", `it is an incomplete copy of ${from}`, {
    op: "use data directory",
    path: data,
    hint: "run the same `barge migrate` again: it goes on",
  });
}

async function changed(
  data: string,
  change: (path: string) => Promise<void>,
  marker: Marker,
): Promise<void> {
  const path = `${data}/${marker}`;
  try {
    await change(path);
    using folder = Deno.openSync(data);
    folder.syncSync();
  } catch (error) {
    throw typed(error, { op: "mark", path });
  }
}
