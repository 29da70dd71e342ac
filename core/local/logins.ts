// deno-lint-ignore-file require-await -- SQLite answers at once; other storage does not
import type { Login } from "../storage/account.ts";
import { operator } from "../storage/audit/audit.ts";
import {
  banLifted,
  keyAdded,
  keyRemoved,
  tokenIssued,
  tokensRevoked,
  webSessionEnded,
} from "../storage/audit/entries.ts";
import { logAudit } from "../storage/audit/log.ts";
import type { LoginStore } from "../storage/logins.ts";
import { fullScope } from "../storage/scope.ts";
import type { Parts } from "./parts.ts";
import { changeRecorded } from "./recorded.ts";

/** The error of a change whose login has ended before it was made. */
class LoginEnded extends Error {}

/** Returns the logins on one machine. Each method is one transaction at most. */
export function localLogins(parts: Parts): LoginStore {
  const { accounts, audit, bans, credentials, keys, tokens, webSessions } = parts;

  /** Returns the id of the token that a login began with, also through a web session; null for a password. */
  const tokenOf = ({ id, credential }: Login): string | null => {
    if (!credentials.holds(id, credential)) throw new LoginEnded();
    if (credential.kind === "token") return credential.id;
    return credential.kind === "web" ? webSessions.tokenOf(credential.digest) : null;
  };

  /** Returns the name of an account that exists. */
  const nameOf = (id: number): string => accounts.byId(id)!.name;

  return {
    account: async ({ id, credential }) => credentials.account(id, credential),
    standing: async ({ id, credential }) => credentials.standing(id, credential),
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
    liftBans: async (subject, by = operator) =>
      audit.recording((record) => {
        const lifted = bans.lift(subject);
        for (const ban of lifted) record(banLifted(ban, by));
        return lifted;
      }),
    tokens: async (account) => tokens.list(account),
    issueToken: (login, label, scope = fullScope, by = operator) =>
      unlessEnded(async () => {
        const recordOf = (id: string) => tokenIssued(nameOf(login.id), { id, label, scope }, by);
        const issued = await tokens.issue(login.id, label, scope, (id) => {
          const origin = tokenOf(login);
          audit.add(recordOf(id));
          return origin;
        });
        logAudit(recordOf(issued.id));
        return issued;
      }),
    revokeToken: async (account, id, by = operator) =>
      audit.recording((record) => {
        const revoked = tokens.revoke(account, id);
        if (revoked) tokensRevoked(nameOf(account), [id], by).forEach(record);
        return revoked;
      }),
    revokeTokens: async (account, by = operator) =>
      audit.recording((record) => {
        const ids = tokens.revokeAll(account);
        if (ids.length > 0) tokensRevoked(nameOf(account), ids, by).forEach(record);
        return ids;
      }),
    keys: async (account) => keys.list(account),
    addKeys: async (account, added, by = operator) =>
      audit.recording((record) =>
        added.map((key) => {
          const isNew = keys.add(account, key);
          if (isNew) record(keyAdded(nameOf(account), key, by));
          return isNew;
        })
      ),
    removeKeys: async (account, fingerprints, by = operator) =>
      audit.recording((record) =>
        fingerprints.filter((fingerprint) => {
          const removed = keys.remove(account, fingerprint);
          if (removed) record(keyRemoved(nameOf(account), fingerprint, by));
          return removed;
        })
      ),
    webSessions: async (account) => webSessions.list(account),
    beginWebSession: (login, client) =>
      unlessEnded(() => webSessions.begin(login.id, client, () => tokenOf(login))),
    endWebSession: async (account, id, by = operator) =>
      audit.recording((record) => {
        const ended = webSessions.end(account, id);
        if (ended) record(webSessionEnded(nameOf(account), id, by));
        return ended;
      }),
    changePassword: async ({ id, credential }, verifier, by = operator) =>
      audit.recording((record) => {
        const account = credentials.account(id, credential);
        if (!account) return undefined;
        changeRecorded(parts, record, { name: account.name, change: { verifier }, by });
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
