/**
 * The records of certificates by ACME on one machine: files in the folder `acme` of the data directory, for its
 * owner only. A worker may read those of challenges, and `renewal`, which hold no lasting secret.
 */
import { dirname } from "node:path";
import { typed } from "../../error.ts";
import { foreignOwner, giveTo } from "../../disk/owner.ts";
import { createSynced } from "../../disk/sync_file.ts";
import type { AcmeRecord, AcmeStore } from "../../storage/acme.ts";

/** The folder's name in the data directory. */
export const acmeFolder = "acme";

/** The records that hold keys. */
export const acmeSecrets: readonly AcmeRecord[] = ["account", "order", "certificate"];

/** The paths below the data directory that workers may read. */
export const acmePathsOfWorkers: readonly string[] = [
  `${acmeFolder}/challenges`,
  `${acmeFolder}/renewal`,
];

export class AcmeFiles implements AcmeStore {
  readonly #data: string;

  /** @param data the data directory */
  constructor(data: string) {
    this.#data = data;
  }

  async read(name: AcmeRecord): Promise<string | undefined> {
    const path = this.#path(name);
    try {
      return await Deno.readTextFile(path);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return undefined;
      throw typed(error, { op: "read", path });
    }
  }

  async write(name: AcmeRecord, text: string): Promise<void> {
    const path = this.#path(name);
    const temporary = `${path}.new`;
    try {
      const owner = foreignOwner(this.#data);
      await this.#makeFolders(dirname(path));
      await removeIfThere(temporary); // left by a server that was killed
      await createSynced(temporary, text);
      giveTo(owner, temporary);
      await Deno.rename(temporary, path);
      await syncFolder(dirname(path));
    } catch (error) {
      await Deno.remove(temporary).catch(() => {/* it was not made, or has its name */});
      throw typed(error, { op: "write", path });
    }
  }

  async remove(name: AcmeRecord): Promise<void> {
    const path = this.#path(name);
    try {
      await removeIfThere(path);
    } catch (error) {
      throw typed(error, { op: "remove", path });
    }
  }

  /** One server uses the data directory at a time. */
  lease(): Promise<boolean> {
    return Promise.resolve(true);
  }

  release(): Promise<void> {
    return Promise.resolve();
  }

  #path(name: AcmeRecord): string {
    return `${this.#data}/${acmeFolder}/${name}`;
  }

  async #makeFolders(folder: string): Promise<void> {
    const owner = foreignOwner(this.#data);
    const root = `${this.#data}/${acmeFolder}`;
    for (const path of new Set([root, folder])) {
      await Deno.mkdir(path, { recursive: true, mode: 0o700 });
      giveTo(owner, path);
    }
  }
}

async function removeIfThere(path: string): Promise<void> {
  try {
    await Deno.remove(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

async function syncFolder(folder: string): Promise<void> {
  if (Deno.build.os === "windows") return; // Windows can't open a folder
  using file = await Deno.open(folder);
  await file.sync();
}
