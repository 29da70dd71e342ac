/**
 * The options of storage that many machines share, for every verb that opens it. Secrets come from files or
 * the environment, never from the command line, which other users can read.
 */
import { BargeError } from "../../core/error.ts";
import { formatAddress, hostOf, isLoopback } from "../../core/net/address.ts";
import type { BucketOptions } from "../../core/shared/bucket/bucket.ts";
import type { PostgresOptions } from "../../core/shared/database/postgres.ts";
import type { SharedOptions } from "../../core/shared/storage.ts";
import { readCertificates } from "./certificate_file.ts";
import { readSecretFile } from "./secret_file.ts";
import { marked, value, type ValuesOf } from "../_term/command.ts";
import { path, type ValueParser, valueParser } from "../_term/value.ts";

/** A database, as its URL names it. */
export interface StoreAddress extends Pick<PostgresOptions, "host" | "port" | "database" | "user"> {
  /** Whether the URL turns TLS off or on; undefined: off on this machine, on to others. */
  readonly tls: boolean | undefined;
}

/** A bucket, as its URL names it. */
export type BucketAddress = Pick<BucketOptions, "url" | "prefix" | "region">;

/** The options of shared storage except the addresses: secrets and certificates. */
export const secretOptions = {
  storePasswordFile: value(
    path("FILE"),
    "The file with the password of the database, one line; or set BARGE_STORE_PASSWORD",
  ),
  bucketKeysFile: value(
    path("FILE"),
    "The file with the access key and the secret key of the bucket, one a line; or set " +
      "BARGE_BUCKET_ACCESS_KEY and BARGE_BUCKET_SECRET_KEY",
  ),
  storeCa: value(
    path("FILE"),
    "The certificates, in PEM, of the authorities of the database and the bucket. Default: the " +
      "system's",
  ),
  ...marked({
    clusterKey: value(
      path("FILE"),
      "The file with the key of the cluster, 32 bytes in base64 or hex, which every node needs " +
        "(`openssl rand -base64 32`); or set BARGE_CLUSTER_KEY to the key itself",
    ),
  }, { secret: true }),
};

/** The variables that hold secrets of shared storage, and that are not options. */
export const secretVariables = [
  "BARGE_STORE_PASSWORD",
  "BARGE_BUCKET_ACCESS_KEY",
  "BARGE_BUCKET_SECRET_KEY",
] as const;

/** The options of storage that many machines share. */
export const storageOptions = {
  store: value(
    storeUrl(),
    "The PostgreSQL database of the accounts and names, with --bucket: storage that many machines " +
      "share, in place of a data directory",
  ),
  bucket: value(bucketUrl(), "The S3 bucket of the bytes, with --store"),
  ...secretOptions,
};

export type StorageValues = ValuesOf<typeof storageOptions>;

/** `postgres://USER@HOST[:PORT]/DB[?sslmode=disable|verify-full]` */
export function storeUrl(): ValueParser<StoreAddress> {
  const parse = (text: string): StoreAddress | undefined => {
    const url = parseUrl(text, /^postgres(ql)?:$/, "--store-password-file or BARGE_STORE_PASSWORD");
    const database = decoded(url?.pathname.slice(1));
    const user = decoded(url?.username);
    const modes: readonly (string | null)[] = [null, "disable", "verify-full"];
    const mode = url?.searchParams.get("sslmode") ?? null;
    if (!url?.hostname || !user || !database || /\//.test(database) || !modes.includes(mode)) {
      return undefined;
    }
    const tls = mode === null ? undefined : mode === "verify-full";
    return { host: hostOf(url), port: Number(url.port || 5432), database, user, tls };
  };
  return valueParser("URL", parse, "postgres://USER@HOST/DB");
}

/** `s3+https://HOST[:PORT]/BUCKET[/PREFIX][?region=REGION]`, or `s3+http:` on this machine */
export function bucketUrl(): ValueParser<BucketAddress> {
  const parse = (text: string): BucketAddress | undefined => {
    const url = parseUrl(
      text,
      /^s3\+https?:$/,
      "--bucket-keys-file, or BARGE_BUCKET_ACCESS_KEY and BARGE_BUCKET_SECRET_KEY",
    );
    const [bucket, ...prefix] = url?.pathname.split("/").filter(Boolean) ?? [];
    if (!url?.hostname || url.username || bucket === undefined) return undefined;
    const scheme = url.protocol.slice("s3+".length);
    if (scheme === "http:" && !isLoopback(hostOf(url))) {
      throw new BargeError("usage", "s3+http: is for stores on this machine only", {
        path: text,
        hint: "use s3+https:, with --store-ca for a certificate of your own",
      });
    }
    return {
      url: `${scheme}//${url.host}/${bucket}`,
      prefix: prefix.map((name) => `${name}/`).join(""),
      region: url.searchParams.get("region") ?? undefined,
    };
  };
  return valueParser("URL", parse, "s3+https://HOST/BUCKET, or s3+https://HOST/BUCKET/PREFIX");
}

/**
 * Returns how to open the storage, with its secrets.
 *
 * @returns undefined where neither --store nor --bucket is given: storage on one machine
 * @throws {BargeError} `usage` where a part is missing or not valid; the failure to read a file
 */
export async function sharedOptions(values: StorageValues): Promise<SharedOptions | undefined> {
  const pair = storeAndBucket(values);
  if (!pair) return undefined;
  const { store, bucket } = pair;
  const { tls = !isLoopback(store.host) || values.storeCa !== undefined, ...address } = store;
  const trust = values.storeCa === undefined
    ? undefined
    : [readCertificates(values.storeCa, "--store-ca")];
  return {
    postgres: { ...address, password: await password(values), trust: tls ? trust : null },
    bucket: { ...bucket, ...await bucketKeys(values), trust },
    key: await clusterKey(values),
  };
}

/** Returns the database and the bucket; undefined for storage on one machine. @throws {BargeError} for only one */
export function storeAndBucket({ store, bucket }: Pick<StorageValues, "store" | "bucket">) {
  if (!store && !bucket) return undefined;
  if (store && bucket) return { store, bucket };
  throw new BargeError("usage", "the database and the bucket are given together", {
    hint: "use --store and --bucket",
  });
}

/** Returns the storage as messages name it. */
export function describeStorage({ postgres, bucket }: SharedOptions): string {
  const { host, port, database } = postgres;
  return `postgres://${
    formatAddress({ host, port })
  }/${database} and ${bucket.url}/${bucket.prefix}`;
}

async function password({ storePasswordFile }: StorageValues): Promise<string> {
  if (storePasswordFile === undefined) return Deno.env.get("BARGE_STORE_PASSWORD") ?? "";
  const ways = "write the password into a file, one line, or set BARGE_STORE_PASSWORD";
  return (await lines(storePasswordFile, 1, "--store-password-file", ways))[0];
}

async function bucketKeys(
  { bucketKeysFile }: StorageValues,
): Promise<Pick<BucketOptions, "accessKey" | "secretKey">> {
  if (bucketKeysFile !== undefined) {
    const ways = "write both keys into a file, one a line, or set BARGE_BUCKET_ACCESS_KEY and " +
      "BARGE_BUCKET_SECRET_KEY";
    const [accessKey, secretKey] = await lines(bucketKeysFile, 2, "--bucket-keys-file", ways);
    return { accessKey, secretKey };
  }
  const accessKey = Deno.env.get("BARGE_BUCKET_ACCESS_KEY");
  const secretKey = Deno.env.get("BARGE_BUCKET_SECRET_KEY");
  if (accessKey && secretKey) return { accessKey, secretKey };
  throw new BargeError("usage", "the keys of the bucket are missing", {
    hint: "use --bucket-keys-file, or BARGE_BUCKET_ACCESS_KEY and BARGE_BUCKET_SECRET_KEY",
  });
}

async function clusterKey({ clusterKey: file }: StorageValues): Promise<Uint8Array> {
  const hint =
    "make one with `openssl rand -base64 32`, and give every node the same --cluster-key";
  if (file === undefined) {
    throw new BargeError("usage", "the key of the cluster is missing", { hint });
  }
  // The option's variable may hold the key itself; the command line names a file.
  const given = file === Deno.env.get("BARGE_CLUSTER_KEY") ? parseKey(file) : undefined;
  const key = given ?? parseKey(await readSecretFile(file, "--cluster-key", hint));
  if (key) return key;
  const why = "it is not a key of the cluster: 32 bytes in base64 or hex";
  throw new BargeError("usage", why, { op: "--cluster-key", path: file, hint });
}

function parseKey(text: string): Uint8Array | undefined {
  const trimmed = text.trim();
  try {
    const key = /^[0-9a-f]{64}$/i.test(trimmed)
      ? Uint8Array.fromHex(trimmed)
      : Uint8Array.fromBase64(trimmed);
    return key.length === 32 ? key : undefined;
  } catch {
    return undefined;
  }
}

/** Returns the lines of an option's file of secrets. @throws {BargeError} `usage` unless it has `count` lines */
async function lines(
  file: string,
  count: number,
  option: string,
  ways: string,
): Promise<string[]> {
  const found = (await readSecretFile(file, option, ways)).split(/\r?\n/).filter(Boolean);
  if (found.length === count) return found;
  const why = `it should have ${
    count === 1 ? "one line" : `${count} lines`
  }, and has ${found.length}`;
  throw new BargeError("usage", why, { op: option, path: file, hint: ways });
}

/**
 * Parses a URL.
 *
 * @param instead the ways to give the secret, for the hint
 * @throws {BargeError} `usage` for one with a password, which the message leaves out
 */
function parseUrl(text: string, protocol: RegExp, instead: string): URL | undefined {
  if (/^[^/]*:\/\/[^/@]*:[^@]+@/.test(text)) {
    throw new BargeError("usage", "a URL on the command line may not hold a password", {
      hint: `use ${instead}`,
    });
  }
  const url = URL.parse(text);
  return url && protocol.test(url.protocol) ? url : undefined;
}

function decoded(text: string | undefined): string | undefined {
  try {
    return text && decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
