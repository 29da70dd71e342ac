/** Storage of a cluster on the engines: a database and a bucket of its own, with two accounts. */
import { createHash, randomBytes } from "node:crypto";
import { Bucket } from "../../core/shared/bucket/bucket.ts";
import { Postgres } from "../../core/shared/database/postgres.ts";
import { makeFolder, removeFolder } from "../cleanup.ts";
import { addAccount } from "../program.ts";
import type { Engines } from "./engines.ts";

export interface ClusterStorage extends AsyncDisposable {
  /** The options with which `barge serve` uses it. */
  readonly options: readonly string[];
  /** The URL of the bucket. */
  readonly bucket: string;
  /** Opens connections to its database, which the caller closes. */
  connect(): Postgres;
}

/** The accounts: the changes of one home wait for each other, so two clients need two accounts. */
export const accounts = ["bench", "other"] as const;

/** Writes 512 MiB: a new store takes longer for its first objects, at the cost of the entry that is measured first. */
async function fill(store: Bucket): Promise<void> {
  const bytes = new Uint8Array(8 * 2 ** 20);
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  for (let i = 0; i < 64; i++) await store.put(`filled/${i}`, bytes, sha256);
}

/** @param dir the parent of the folder with its secrets */
export async function makeStorage(
  { postgres: { url, password }, s3 }: Engines,
  dir: string,
): Promise<ClusterStorage> {
  const name = `bench${randomBytes(6).toString("hex")}`;
  const folder = await makeFolder("barge-cluster-", dir);
  const file = async (name: string, text: string) => {
    await Deno.writeTextFile(`${folder}/${name}`, `${text}\n`, { mode: 0o600 });
    return `${folder}/${name}`;
  };
  const connect = (database: string) =>
    new Postgres({
      host: url.hostname,
      port: Number(url.port),
      database,
      user: url.username,
      password,
      trust: null,
    });
  const admin = () => connect(url.pathname.slice(1));
  {
    await using db = admin();
    await db.all(`CREATE DATABASE ${name}`);
  }
  const bucket = `${s3.url}/${name}`;
  {
    using store = new Bucket({ ...s3, url: bucket, prefix: "" });
    await store.make();
    await fill(store);
  }
  const options = [
    ...["--store", `postgres://${url.username}@${url.host}/${name}`],
    ...["--bucket", `s3+${bucket}`],
    ...["--store-password-file", await file("password", password)],
    ...["--bucket-keys-file", await file("keys", `${s3.accessKey}\n${s3.secretKey}`)],
    ...["--cluster-key", await file("key", randomBytes(32).toString("base64"))],
  ];
  for (const account of accounts) await addAccount(options, account);
  return {
    options,
    bucket,
    connect: () => connect(name),
    async [Symbol.asyncDispose]() {
      await removeFolder(folder);
      await using db = admin();
      await db.all(`DROP DATABASE ${name} WITH (FORCE)`);
    },
  };
}
