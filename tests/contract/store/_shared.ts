/**
 * Storage that many machines share, on the engines that the environment names (tests/engines/engines): a
 * database and a bucket prefix of its own for each test.
 */
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import type { BucketOptions } from "../../../core/shared/bucket/bucket.ts";
import { collectGarbage } from "../../../core/shared/upload/garbage.ts";
import type { Parts } from "../../../core/shared/bucket/parts.ts";
import { Postgres, type PostgresOptions } from "../../../core/shared/database/postgres.ts";
import { banAfter } from "./_suite_people.ts";
import { verifyShared } from "../../../core/shared/verify/verify.ts";
import { SharedStorage } from "../../../core/shared/storage.ts";
import { releaseStaleUploads } from "../../../core/shared/upload/stale_uploads.ts";
import { migrate } from "../../../core/shared/database/migrate.ts";

/** Where the engines are, and who may use them. */
export interface EngineAddresses {
  readonly postgres: PostgresOptions;
  readonly bucket: { readonly url: string; readonly accessKey: string; readonly secretKey: string };
}

/** Returns the engines that variables name; undefined where they name none. */
export function enginesOf(
  variables: Readonly<Record<string, string>>,
): EngineAddresses | undefined {
  const { BARGE_TEST_POSTGRES, BARGE_TEST_POSTGRES_PASSWORD, BARGE_TEST_S3, ...keys } = variables;
  if (!BARGE_TEST_POSTGRES || !BARGE_TEST_S3) return undefined;
  const url = new URL(BARGE_TEST_POSTGRES);
  return {
    postgres: {
      host: url.hostname,
      port: Number(url.port),
      database: url.pathname.slice(1),
      user: url.username,
      password: BARGE_TEST_POSTGRES_PASSWORD,
      trust: null,
    },
    bucket: {
      url: `${BARGE_TEST_S3}/barge-tests`,
      accessKey: keys.BARGE_TEST_S3_KEY,
      secretKey: keys.BARGE_TEST_S3_SECRET,
    },
  };
}

const engines = enginesOf(Deno.env.toObject());

const clusterKey = crypto.getRandomValues(new Uint8Array(32));

/** Whether there are engines to test on. */
export const hasEngines = engines !== undefined;
if (!hasEngines && Deno.env.get("BARGE_TEST_ENGINES") === "required") {
  throw new Error("there are no engines: see tests/engines/engines");
}

/** Opens the storage of a test. @param name its database, and its prefix in the bucket */
export function openNode(name: string, { postgres, bucket } = engines!): SharedStorage {
  const options = {
    postgres: { ...postgres, database: name },
    bucket: { ...bucket, prefix: `${name}/` },
    key: clusterKey,
  };
  return new SharedStorage(options, () => banAfter);
}

/** Opens a connection to make and drop databases, which wait for the disk: longer than statements of a node may. */
function openAdmin(options: PostgresOptions): Postgres {
  return new Postgres({ ...options, deadlineMs: 60_000 });
}

/** A database and a bucket prefix of its own. */
export class SharedSetup implements AsyncDisposable {
  readonly #name: string;
  readonly #engines: EngineAddresses;
  readonly #nodes: SharedStorage[] = [];
  #files: string | undefined;

  private constructor(name: string, engines: EngineAddresses) {
    this.#name = name;
    this.#engines = engines;
  }

  /** @param on other engines than those of the environment */
  static async make(on?: EngineAddresses): Promise<SharedSetup> {
    const setup = await SharedSetup.makeEmpty(on);
    await migrate(setup.first.db, "0.1.0");
    return setup;
  }

  /** Makes one without tables: the test makes them. */
  static async makeEmpty(on = engines!): Promise<SharedSetup> {
    const name = `t${randomUUID().replaceAll("-", "")}`;
    const setup = new SharedSetup(name, on);
    await using admin = openAdmin(on.postgres);
    await admin.all(`CREATE DATABASE ${name}`);
    await setup.node().parts.bucket.make();
    return setup;
  }

  /** Opens the storage as one more node. */
  node(): SharedStorage {
    const node = openNode(this.#name, this.#engines);
    this.#nodes.push(node);
    return node;
  }

  /** Does work in another process: see _shared_process.ts. */
  async run(verb: string, step: string, ...args: readonly string[]) {
    const process = new URL("./_shared_process.ts", import.meta.url).pathname;
    const options = ["--quiet", "--no-check", "--allow-all"];
    const { code, signal, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", ...options, process, verb, this.#name, step, ...args],
      stdin: "null",
    }).output();
    const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
    return { code, signal, stdout: text(stdout), stderr: text(stderr) };
  }

  /** Does the same, and expects that the process is killed at the step. */
  async killed(verb: string, step: string, ...args: readonly string[]): Promise<void> {
    const { signal, stderr } = await this.run(verb, step, ...args);
    assert.equal(signal, "SIGKILL", stderr);
    // Its database connection may live on for a moment: the server ends the transaction with it.
    await this.first.db.all(
      `SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
       WHERE datname = current_database() AND state = 'idle in transaction'`,
    );
    await this.first.db.all("UPDATE upload SET touched = now() - interval '1 minute'");
    await releaseStaleUploads(this.first.db);
  }

  /** How to reach the database. */
  get postgres(): PostgresOptions {
    return { ...this.#engines.postgres, database: this.#name };
  }

  /** How to reach the bucket. */
  get bucket(): BucketOptions {
    return { ...this.#engines.bucket, prefix: `${this.#name}/` };
  }

  get people(): SharedStorage["people"] {
    return this.#nodes[0].people;
  }

  get tree(): SharedStorage["tree"] {
    return this.#nodes[0].tree;
  }

  /**
   * Returns the options with which `barge serve` uses this storage.
   *
   * @param proxies the ports of proxies on this machine in front of the engines; `host` is the name or
   *   address of both. With the certificate of an authority, in PEM, they speak TLS
   */
  async serveOptions(
    proxies: {
      readonly postgres?: number;
      readonly s3?: number;
      readonly host?: string;
      readonly authority?: string;
    } = {},
  ): Promise<string[]> {
    const { database, user, password } = this.postgres;
    const { host = this.postgres.host, postgres: port = this.postgres.port, authority } = proxies;
    const { prefix, accessKey, secretKey } = this.bucket;
    const url = new URL(this.bucket.url);
    if (authority !== undefined) url.protocol = "https:";
    if (proxies.host !== undefined) url.hostname = proxies.host;
    if (proxies.s3 !== undefined) url.port = `${proxies.s3}`;
    const files = this.#files ??= await Deno.makeTempDir({ prefix: "barge-cluster-" });
    const write = async (name: string, text: string) => {
      await Deno.writeTextFile(`${files}/${name}`, text, { mode: 0o600 });
      return `${files}/${name}`;
    };
    return [
      ...["--store", `postgres://${user}@${host}:${port}/${database}`],
      ...["--bucket", `s3+${url.href}/${prefix}`],
      ...["--store-password-file", await write("password", password)],
      ...["--bucket-keys-file", await write("keys", `${accessKey}\n${secretKey}\n`)],
      ...["--cluster-key", await write("key", clusterKey.toBase64())],
      ...authority === undefined ? [] : ["--store-ca", await write("authority", authority)],
    ];
  }

  /** Throws unless sums, pieces and digests agree. */
  async verify(): Promise<void> {
    const problems: unknown[] = [];
    const onProblem = (problem: unknown) => void problems.push(problem);
    await verifyShared(this.first, { repair: false, onProblem });
    assert.deepEqual(problems, []);
  }

  get first(): Parts {
    return this.#nodes[0].parts;
  }

  async addAccount(name: string, quota: number | null): Promise<number> {
    const { db } = this.first;
    const [{ id }] = await db.all<{ id: number }>(
      `INSERT INTO account (name, role, quota, verifier) VALUES ($1, 'user', $2::bigint, '{}')
       RETURNING id`,
      name,
      quota,
    );
    await db.all(
      `INSERT INTO node (parent, name, folder, modified) VALUES (1, convert_to($1, 'UTF8'), true, 0)`,
      name,
    );
    return id;
  }

  /** Issues a token of an account, without the scrypt of a login. */
  async issueToken(name: string): Promise<string> {
    const { logins } = this.people;
    const { account, credential } = (await logins.byPassword(name))!;
    return (await logins.issueToken({ id: account.id, credential }, "test"))!.token;
  }

  /** Compares the sums of all accounts with their rows. */
  async check(): Promise<void> {
    const rows = await this.first.db.all<{ name: string }>(
      `SELECT name, used, reserved, entries FROM account WHERE
         used <> (SELECT coalesce(sum(size), 0) FROM node WHERE owner = account.id) OR
         reserved <> (SELECT coalesce(sum(greatest(0, want - credit)), 0) FROM upload
           WHERE upload.account = account.id) OR
         entries <> (SELECT count(*) FROM node WHERE owner = account.id) +
           (SELECT coalesce(sum(entry), 0) FROM upload WHERE upload.account = account.id)`,
    );
    if (rows.length > 0) throw new Error(`the sums differ: ${JSON.stringify(rows)}`);
  }

  /** Collects all garbage as if a day had passed. */
  async collect(): Promise<void> {
    await this.first.db.all("UPDATE garbage SET after = now() - interval '1 hour'");
    await collectGarbage(this.first);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const sql = "SELECT to_regclass('garbage') IS NOT NULL AS made";
    const [{ made }] = await this.first.db.all<{ made: boolean }>(sql);
    if (made) await this.collect();
    for (const node of this.#nodes) await node[Symbol.asyncDispose]();
    if (this.#files !== undefined) await Deno.remove(this.#files, { recursive: true });
    await using admin = openAdmin(this.#engines.postgres);
    await admin.all(`DROP DATABASE ${this.#name} WITH (FORCE)`);
  }
}
