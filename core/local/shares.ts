// deno-lint-ignore-file require-await -- SQLite answers at once; other storage does not
import { operator } from "../storage/audit/audit.ts";
import { shareMade, shareRevoked } from "../storage/audit/entries.ts";
import type { ShareStore } from "../storage/shares.ts";
import type { Parts } from "./parts.ts";

/** Returns the share links on one machine. */
export function localShares({ accounts, audit, db, shares }: Parts): ShareStore {
  return {
    add: async (account, share, by = operator) =>
      audit.recording((record) => {
        const made = shares.add(account, share);
        record(shareMade(accounts.byId(account)!.name, made.share.id, share, by));
        return made;
      }),
    list: async (account) => shares.list(account),
    find: async (token) => shares.find(token),
    count: async (share, address, version) => shares.count(share, address, version),
    resume: async (share, address, version) => shares.resume(share, address, version),
    revoke: async (account, id, by = operator) =>
      audit.recording((record) => {
        const revoked = shares.revoke(account, id);
        if (revoked) record(shareRevoked(accounts.byId(account)!.name, id, by));
        return revoked;
      }),
    signingKey: async () => db.secret("share"),
  };
}
