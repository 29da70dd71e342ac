/**
 * The records of certificates by ACME that nodes share: sealed secrets in the database, and a lease by the
 * database's clock, so that one node orders for all.
 */
import type { AcmeRecord, AcmeStore } from "../storage/acme.ts";
import { leaseSql } from "./database/lease.ts";
import type { Postgres } from "./database/postgres.ts";
import type { Secrets } from "./database/secrets.ts";

const leaseName = "acme";
const lease = leaseSql({ holder: "lease.holder", until: "lease.until" }, "$2", "$3");

export class AcmeSecrets implements AcmeStore {
  readonly #db: Postgres;
  readonly #secrets: Secrets;
  readonly #holder: string;

  /** @param startId the name of this process, which holds the lease */
  constructor({ db, secrets, startId }: {
    readonly db: Postgres;
    readonly secrets: Secrets;
    readonly startId: string;
  }) {
    this.#db = db;
    this.#secrets = secrets;
    this.#holder = startId;
  }

  async read(name: AcmeRecord): Promise<string | undefined> {
    return await this.#secrets.find(secretName(name));
  }

  async write(name: AcmeRecord, text: string): Promise<void> {
    await this.#secrets.replace(secretName(name), text);
  }

  async remove(name: AcmeRecord): Promise<void> {
    await this.#secrets.remove(secretName(name));
  }

  async lease(ms: number): Promise<boolean> {
    const rows = await this.#db.all(
      `INSERT INTO lease (name, holder, until) VALUES ($1, $2, now() + $3::float8 * interval '1 ms')
       ON CONFLICT (name) DO UPDATE SET ${lease.take} WHERE ${lease.isFree}
       RETURNING holder`,
      leaseName,
      this.#holder,
      ms,
    );
    return rows.length > 0;
  }

  async release(): Promise<void> {
    await this.#db.all(
      "DELETE FROM lease WHERE name = $1 AND holder = $2",
      leaseName,
      this.#holder,
    );
  }
}

function secretName(name: AcmeRecord): string {
  return `acme/${name}`;
}
