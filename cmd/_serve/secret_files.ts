/** Lists the files of secrets that options of `serve` name. */
import type { SecretFile } from "../../core/doctor/setup.ts";
import type { StorageValues } from "../_data/storage_options.ts";

/** The options of `serve` that name files of secrets. */
export type SecretValues =
  & Pick<StorageValues, "storePasswordFile" | "bucketKeysFile" | "clusterKey">
  & {
    readonly tlsKey?: string;
    readonly acmeEabKeyFile?: string;
    readonly webhookSecretFile?: string;
  };

/** Returns the files with the options that name them. BARGE_CLUSTER_KEY holds a key, and names no file. */
export function secretFilesOf(values: SecretValues): SecretFile[] {
  const {
    tlsKey,
    acmeEabKeyFile,
    webhookSecretFile,
    storePasswordFile,
    bucketKeysFile,
    clusterKey,
  } = values;
  const rows: [option: string, path: string | undefined][] = [
    ["--tls-key", tlsKey],
    ["--acme-eab-key-file", acmeEabKeyFile],
    ["--webhook-secret-file", webhookSecretFile],
    ["--store-password-file", storePasswordFile],
    ["--bucket-keys-file", bucketKeysFile],
    ["--cluster-key", clusterKey === Deno.env.get("BARGE_CLUSTER_KEY") ? undefined : clusterKey],
  ];
  return rows.flatMap(([option, path]) => path === undefined ? [] : [{ option, path }]);
}
