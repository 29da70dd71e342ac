/** A cluster on the engines, for the real program: a database, a bucket prefix, and the files of secrets. */
import { randomBytes } from "node:crypto";
import { SharedStorage } from "../../core/shared/storage.ts";
import { banAfter } from "../contract/store/_suite_people.ts";
import { SharedSetup } from "../contract/store/_shared.ts";
import { Home, type Outcome, type RunOptions } from "./_barge.ts";

export class Cluster implements AsyncDisposable {
  readonly home = new Home();
  readonly key = randomBytes(32);
  readonly #setup: SharedSetup;
  readonly #opened: SharedStorage[] = [];

  private constructor(setup: SharedSetup) {
    this.#setup = setup;
  }

  /** Makes one that no barge has used yet. */
  static async make(): Promise<Cluster> {
    const cluster = new Cluster(await SharedSetup.makeEmpty());
    const { password } = cluster.#setup.postgres;
    const { accessKey, secretKey } = cluster.#setup.bucket;
    cluster.file("password", `${password}\n`);
    cluster.file("bucket-keys", `${accessKey}\n${secretKey}\n`);
    cluster.file("key", cluster.key.toString("base64"));
    return cluster;
  }

  /** Writes a file into the home, for its owner. */
  file(name: string, text: string): void {
    Deno.writeTextFileSync(`${this.home.path}/${name}`, text, { mode: 0o600 });
  }

  /** The URL of the database. */
  get store(): string {
    const { host, port, database, user } = this.#setup.postgres;
    return `postgres://${user}@${host}:${port}/${database}`;
  }

  /** The URL of the bucket. */
  get bucket(): string {
    const { url, prefix } = this.#setup.bucket;
    return `s3+${url}/${prefix}`;
  }

  /** Returns the options that name the cluster, some of them with other values. */
  options(others: Readonly<Record<string, string>> = {}): string[] {
    const files = {
      "--store-password-file": "password",
      "--bucket-keys-file": "bucket-keys",
      "--cluster-key": "key",
    };
    const all = { "--store": this.store, "--bucket": this.bucket, ...files, ...others };
    return Object.entries(all).flat();
  }

  /** The same as variables. Secrets are in the variables themselves. */
  get variables(): Record<string, string> {
    const { password } = this.#setup.postgres;
    const { accessKey, secretKey } = this.#setup.bucket;
    return {
      BARGE_STORE: this.store,
      BARGE_BUCKET: this.bucket,
      BARGE_STORE_PASSWORD: password,
      BARGE_BUCKET_ACCESS_KEY: accessKey,
      BARGE_BUCKET_SECRET_KEY: secretKey,
      BARGE_CLUSTER_KEY: this.key.toString("hex"),
    };
  }

  /** Runs the program on the cluster. */
  async barge(args: readonly string[], options?: RunOptions): Promise<Outcome> {
    return await this.home.barge([...args, ...this.options()], options);
  }

  /** Opens the storage, as a node does. */
  open(): SharedStorage {
    const { postgres, bucket } = this.#setup;
    const storage = new SharedStorage({ postgres, bucket, key: this.key }, () => banAfter);
    this.#opened.push(storage);
    return storage;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const storage of this.#opened) await storage[Symbol.asyncDispose]();
    await this.#setup[Symbol.asyncDispose]();
    await this.home[Symbol.asyncDispose]();
  }
}
