// deno-lint-ignore-file require-await -- SQLite answers at once; other storage does not
/** Share links on one machine: see core/storage/shares.ts. */
import type { FoundShare, NewShare, Share, ShareStore } from "../storage/shares.ts";
import type { Parts } from "./parts.ts";

export class LocalShares implements ShareStore {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  async add(account: number, share: NewShare): Promise<{ token: string; share: Share }> {
    return this.#parts.shares.add(account, share);
  }

  async list(account: number): Promise<readonly Share[]> {
    return this.#parts.shares.list(account);
  }

  async find(token: string): Promise<FoundShare | undefined> {
    return this.#parts.shares.find(token);
  }

  async count(share: FoundShare, address: string, version: string | null): Promise<boolean> {
    return this.#parts.shares.count(share, address, version);
  }

  async resume(share: FoundShare, address: string, version: string): Promise<boolean> {
    return this.#parts.shares.goesOn(share, address, version);
  }

  async revoke(account: number, id: string): Promise<boolean> {
    return this.#parts.shares.revoke(account, id);
  }

  async signingKey(): Promise<string> {
    return this.#parts.db.secret("share");
  }
}
