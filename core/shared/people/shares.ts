/** Share links, as rows of the database: see core/storage/shares.ts. */
import { createHash, randomBytes } from "node:crypto";
import { BargeError } from "../../error.ts";
import { accountIsGone } from "../../storage/account_rules.ts";
import { type Actor, operator } from "../../storage/audit/audit.ts";
import { shareMade, shareRevoked } from "../../storage/audit/entries.ts";
import { maxShares } from "../../storage/bounds.ts";
import {
  type FoundShare,
  listedMs,
  maxParts,
  maxVisits,
  type NewShare,
  resumableMs,
  type Share,
  type ShareStore,
} from "../../storage/shares.ts";
import { nodeAt } from "../tree/node_rows.ts";
import type { Parts } from "../bucket/parts.ts";
import type { Statements, Value } from "../database/postgres.ts";
import { nameOf, recording } from "../database/audit_rows.ts";

type Row = Omit<FoundShare, "id" | "place"> & { readonly dir: string; readonly name: string };

export class SharedShares implements ShareStore {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  async add(
    account: number,
    added: NewShare,
    by: Actor = operator,
  ): Promise<{ readonly token: string; readonly share: Share }> {
    const { place, kind, expires, maxDownloads, verifier } = added;
    const token = randomBytes(32).toString("base64url");
    const digest = digestOf(token);
    return await recording(this.#parts.db, async (tx, record) => {
      const sql = "SELECT 1 FROM account WHERE id = $1 FOR NO KEY UPDATE";
      if ((await tx.all(sql, account)).length === 0) throw accountIsGone();
      await tx.all("DELETE FROM share WHERE expires < now_ms() - $1::bigint", listedMs);
      const [{ n }] = await tx.all<{ n: number }>(
        "SELECT count(*) AS n FROM share WHERE account = $1",
        account,
      );
      if (n >= maxShares) {
        throw new BargeError("refused", `the account has ${maxShares} links, as many as it may`, {
          hint: "revoke some; those that have ended count until they are revoked, or for 30 days",
        });
      }
      const node = await nodeAt(tx, place);
      await tx.all(
        `INSERT INTO share (digest, account, dir, name, node, kind, expires, most, verifier)
         VALUES ($1, $2::bigint, $3, $4, $5::bigint, $6, $7::bigint, $8::bigint, $9::text::jsonb)`,
        digest,
        account,
        place.dir,
        place.name,
        node?.id ?? null,
        kind,
        expires,
        maxDownloads,
        verifier && JSON.stringify(verifier),
      );
      const [share] = await select(tx, "digest = $1", digest);
      await record(shareMade(await nameOf(tx, account), share.id, added, by));
      return { token, share };
    });
  }

  async list(account: number): Promise<readonly Share[]> {
    return await select(this.#parts.db, "account = $1 ORDER BY created DESC, digest", account);
  }

  async find(token: string): Promise<FoundShare | undefined> {
    return (await select(this.#parts.db, "digest = $1", digestOf(token)))[0];
  }

  async count(
    { digest }: FoundShare,
    address: string,
    version: string | null,
  ): Promise<boolean> {
    return await this.#parts.db.transaction(async (tx) => {
      const counted = await tx.all(
        `UPDATE share SET downloads = downloads + 1 WHERE digest = $1 AND node IS NOT NULL
         AND expires > now_ms() AND (most IS NULL OR downloads < most) RETURNING digest`,
        digest,
      );
      if (counted.length > 0 && version !== null) await remember(tx, digest, address, version);
      return counted.length > 0;
    });
  }

  async resume({ digest }: FoundShare, address: string, version: string): Promise<boolean> {
    const rows = await this.#parts.db.all(
      `UPDATE share_visit SET parts = parts - 1 WHERE share = $1 AND address = $2 AND version = $3
       AND parts > 0 AND at > now_ms() - $4::bigint RETURNING share`,
      digest,
      address,
      version,
      resumableMs,
    );
    return rows.length > 0;
  }

  async revoke(account: number, id: string, by: Actor = operator): Promise<boolean> {
    return await recording(this.#parts.db, async (tx, record) => {
      const sql = "DELETE FROM share WHERE account = $1 AND left(digest, 16) = $2 RETURNING digest";
      if ((await tx.all(sql, account, id)).length === 0) return false;
      await record(shareRevoked(await nameOf(tx, account), id, by));
      return true;
    });
  }

  async signingKey(): Promise<string> {
    return await this.#parts.secrets.get("share");
  }
}

/** Records a counted download, so that it can be resumed. */
async function remember(
  tx: Statements,
  digest: string,
  address: string,
  version: string,
): Promise<void> {
  await tx.all("DELETE FROM share_visit WHERE at < now_ms() - $1::bigint", resumableMs);
  await tx.all(
    `INSERT INTO share_visit (share, address, version, parts, at)
     VALUES ($1, $2, $3, ${maxParts}, now_ms())
     ON CONFLICT (share, address, version) DO UPDATE SET parts = excluded.parts, at = excluded.at`,
    digest,
    address,
    version,
  );
  await tx.all(
    `DELETE FROM share_visit WHERE share = $1 AND (address, version) IN (
       SELECT address, version FROM share_visit WHERE share = $1 ORDER BY at DESC
       OFFSET ${maxVisits})`,
    digest,
  );
}

async function select(
  db: Statements,
  condition: string,
  ...values: Value[]
): Promise<FoundShare[]> {
  const rows = await db.all<Row>(
    `SELECT digest, account, dir, name, kind, created, expires, most AS "maxDownloads", downloads,
       node IS NULL AS gone, verifier FROM share WHERE ${condition}`,
    ...values,
  );
  return rows.map(({ dir, name, ...row }) => ({
    ...row,
    id: row.digest.slice(0, 16),
    place: { dir, name },
  }));
}

function digestOf(token: string): string {
  return createHash("sha256").update(token).digest("hex");
}
