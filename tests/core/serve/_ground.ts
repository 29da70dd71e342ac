/** A data directory under a supervisor, without a server's preparations. */
import { Vault } from "../../../core/local/vault/vault.ts";
import type { WorkerSettings } from "../../../core/serve/ground.ts";
import type { SupervisorOptions } from "../../../core/serve/supervisor.ts";
import { uploadedFile } from "../../../core/serve/hooks/uploaded_file.ts";
import { workerPermissions } from "../../../core/serve/worker_permissions.ts";

export function groundOf(data: string): SupervisorOptions["ground"] {
  const limits = { allowRegister: false, defaultLimit: null, maxLimit: null };
  const vault = new Vault(data, false);
  return {
    settings: { data, durability: "relaxed", ...limits },
    permissions: (doors) => workerPermissions(data, doors),
    uploadedFile: (upload) => uploadedFile(vault, upload),
    fetchUploaded: () => Promise.resolve({ [Symbol.asyncDispose]: () => Promise.resolve() }),
  };
}

/** Returns the data directory of a worker's settings; with shared storage, one that does not exist. */
export function dataOf(settings: WorkerSettings): string {
  return "data" in settings ? settings.data : "/nonexistent";
}
