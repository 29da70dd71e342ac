/** Opens storage that many machines share, for one command. Only a verb with --store loads it. */
import { prepare, requirePrepared } from "../../core/shared/prepare.ts";
import { SharedStorage } from "../../core/shared/storage.ts";
import { defaultBanAfter } from "../../core/storage/logins.ts";
import { note } from "../_term/out.ts";
import { version } from "../_version.ts";
import { describeStorage, sharedOptions, type StorageValues } from "./storage_options.ts";

/**
 * Opens the storage.
 *
 * @param options.create make its tables if they are missing
 * @param options.quiet do not write its name to standard error
 * @throws {BargeError} `usage` for an option that is missing or not valid; as `prepare` and `requirePrepared`
 */
export async function openShared(
  values: StorageValues,
  { create = false, quiet = false }: { readonly create?: boolean; readonly quiet?: boolean } = {},
): Promise<SharedStorage> {
  const options = (await sharedOptions(values))!;
  if (!quiet) note(`storage: ${describeStorage(options)}`);
  const storage = new SharedStorage(options, () => defaultBanAfter);
  try {
    if (create) await prepare(storage.parts, version);
    else await requirePrepared(storage.parts);
    return storage;
  } catch (error) {
    await storage[Symbol.asyncDispose]();
    throw error;
  }
}
