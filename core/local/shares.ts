// deno-lint-ignore-file require-await -- SQLite answers at once; other storage does not
import type { ShareStore } from "../storage/shares.ts";
import type { Parts } from "./parts.ts";

/** Returns the share links on one machine. */
export function localShares({ db, shares }: Parts): ShareStore {
  return {
    add: async (account, share) => shares.add(account, share),
    list: async (account) => shares.list(account),
    find: async (token) => shares.find(token),
    count: async (share, address, version) => shares.count(share, address, version),
    resume: async (share, address, version) => shares.resume(share, address, version),
    revoke: async (account, id) => shares.revoke(account, id),
    signingKey: async () => db.secret("share"),
  };
}
