// deno-lint-ignore-file require-await -- SQLite answers at once; other storage does not
import type { Login } from "../storage/account.ts";
import type { LoginStore } from "../storage/logins.ts";
import { fullScope } from "../storage/scope.ts";
import type { Parts } from "./parts.ts";

/** The error of a change whose login has ended before it was made. */
class LoginEnded extends Error {}

/** Returns the logins on one machine. Each method is one transaction at most. */
export function localLogins(parts: Parts): LoginStore {
  const { accounts, bans, credentials, db, keys, tokens, webSessions } = parts;

  /** Returns the id of the token that a login began with, also through a web session; null for a password. */
  const tokenOf = ({ id, credential }: Login): string | null => {
    if (!credentials.holds(id, credential)) throw new LoginEnded();
    if (credential.kind === "token") return credential.id;
    return credential.kind === "web" ? webSessions.tokenOf(credential.digest) : null;
  };

  return {
    account: async ({ id, credential }) => credentials.account(id, credential),
    revocations: async () => credentials.revocations(),
    async byPassword(name) {
      const found = accounts.forLogin(name);
      if (!found) return undefined;
      const { account, verifier, epoch } = found;
      return { account, verifier, credential: { kind: "password", epoch } };
    },
    async byToken(id) {
      const token = tokens.find(id);
      const account = token && accounts.byId(token.account);
      return account && { ...token, account, credential: { kind: "token", id } };
    },
    byKey: async (name, fingerprint) => accounts.byId(keys.find(name, fingerprint) ?? 0),
    async byWebSession(secret) {
      const found = webSessions.find(secret);
      const account = found && accounts.byId(found.account);
      if (!account) return undefined;
      const { id, digest, token } = found;
      const scope = token === null ? fullScope : tokens.find(token)?.scope;
      return scope && { account, id, credential: { kind: "web", digest }, scope };
    },
    decoy: async (name) => accounts.decoy(name),
    isBanned: async (attempt) => bans.banned(attempt),
    failed: async (attempt) => bans.failed(attempt),
    async succeeded(attempt, credential) {
      const { id } = attempt.account!;
      bans.succeeded(attempt);
      accounts.loggedIn(id);
      if (credential.kind === "token") tokens.touch(credential.id, attempt.host);
      if (credential.kind === "key") keys.touch(id, credential.fingerprint);
    },
    markOf: async (name) => bans.markOf(name),
    bans: async () => bans.list(),
    liftBans: async (subject) => bans.lift(subject),
    tokens: async (account) => tokens.list(account),
    issueToken: (login, label, scope) =>
      unlessEnded(() => tokens.issue(login.id, label, scope, () => tokenOf(login))),
    revokeToken: async (account, id) => tokens.revoke(account, id),
    revokeTokens: async (account) => tokens.revokeAll(account),
    keys: async (account) => keys.list(account),
    addKeys: async (account, added) =>
      db.transaction(() => added.map((key) => keys.add(account, key))),
    removeKeys: async (account, fingerprints) =>
      db.transaction(() => fingerprints.filter((fingerprint) => keys.remove(account, fingerprint))),
    webSessions: async (account) => webSessions.list(account),
    beginWebSession: (login, client) =>
      unlessEnded(() => webSessions.begin(login.id, client, () => tokenOf(login))),
    endWebSession: async (account, id) => webSessions.end(account, id),
    changePassword: async ({ id, credential }, verifier) =>
      db.transaction(() => {
        const account = credentials.account(id, credential);
        if (!account) return undefined;
        accounts.change(account.name, { verifier });
        return { kind: "password", epoch: accounts.epoch(id)! };
      }),
  };
}

/** Returns the result of work; undefined when it throws {@link LoginEnded}. */
async function unlessEnded<T>(work: () => T | Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof LoginEnded) return undefined;
    throw error;
  }
}
