// deno-lint-ignore-file require-await -- SQLite answers at once; other storage does not
/** Logins on one machine: see core/storage/logins.ts. Each method is one transaction at most. */
import type { Verifier } from "../protocol/message.ts";
import type { Account, Credential, Login } from "../storage/account.ts";
import type {
  Attempt,
  Ban,
  Consequence,
  FoundWebSession,
  LoginStore,
  Provable,
  Token,
  WebSession,
} from "../storage/logins.ts";
import type { Parts } from "./parts.ts";

export class LocalLogins implements LoginStore {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  async account({ id, credential }: Login): Promise<Account | undefined> {
    return this.#parts.credentials.account(id, credential);
  }

  async holds({ id, credential }: Login): Promise<boolean> {
    return this.#parts.credentials.holds(id, credential);
  }

  async revocations(): Promise<number> {
    return this.#parts.credentials.revocations();
  }

  async byPassword(name: string): Promise<Provable | undefined> {
    const found = this.#parts.accounts.forLogin(name);
    if (!found) return undefined;
    const { account, verifier, epoch } = found;
    return { account, verifier, credential: { kind: "password", epoch } };
  }

  async byToken(id: string): Promise<Provable | undefined> {
    const token = this.#parts.tokens.find(id);
    const account = token && this.#parts.accounts.byId(token.account);
    return account && { account, verifier: token.verifier, credential: { kind: "token", id } };
  }

  async byKey(name: string, fingerprint: string): Promise<Account | undefined> {
    return this.#parts.accounts.byId(this.#parts.keys.find(name, fingerprint) ?? 0);
  }

  async byWebSession(secret: string): Promise<FoundWebSession | undefined> {
    const found = this.#parts.webSessions.find(secret);
    const account = found && this.#parts.accounts.byId(found.account);
    return account && { account, id: found.id, credential: { kind: "web", digest: found.digest } };
  }

  async decoy(name: string): Promise<Verifier> {
    return this.#parts.accounts.decoy(name);
  }

  async isBanned(attempt: Attempt): Promise<boolean> {
    return this.#parts.bans.banned(attempt);
  }

  async failed(attempt: Attempt): Promise<Consequence> {
    return this.#parts.bans.failed(attempt);
  }

  async succeeded(attempt: Attempt, credential: Credential): Promise<void> {
    const { accounts, bans, keys, tokens } = this.#parts;
    const { id } = attempt.account!;
    bans.succeeded(attempt);
    accounts.loggedIn(id);
    if (credential.kind === "token") tokens.touch(credential.id);
    if (credential.kind === "key") keys.touch(id, credential.fingerprint);
  }

  async markOf(name: string): Promise<string> {
    return this.#parts.bans.markOf(name);
  }

  async bans(): Promise<readonly Ban[]> {
    return this.#parts.bans.list();
  }

  async liftBans(subject: string): Promise<readonly Ban[]> {
    return this.#parts.bans.lift(subject);
  }

  async tokens(account: number): Promise<readonly Token[]> {
    return this.#parts.tokens.list(account);
  }

  async issueToken(
    login: Login,
    label: string,
  ): Promise<{ id: string; token: string } | undefined> {
    const origin = () => this.#originOf(login);
    return await unlessEnded(() => this.#parts.tokens.issue(login.id, label, origin));
  }

  async revokeToken(account: number, id: string): Promise<boolean> {
    return this.#parts.tokens.revoke(account, id);
  }

  async webSessions(account: number): Promise<readonly WebSession[]> {
    return this.#parts.webSessions.list(account);
  }

  async beginWebSession(
    login: Login,
    client: Pick<WebSession, "agent" | "address">,
  ): Promise<string | undefined> {
    const origin = () => this.#originOf(login);
    return await unlessEnded(() => this.#parts.webSessions.begin(login.id, client, origin));
  }

  async endWebSession(account: number, id: string): Promise<boolean> {
    return this.#parts.webSessions.end(account, id);
  }

  async changePassword(login: Login, verifier: Verifier): Promise<Credential | undefined> {
    const { accounts, credentials, db } = this.#parts;
    return db.transaction(() => {
      const account = credentials.account(login.id, login.credential);
      if (!account) return undefined;
      accounts.change(account.name, { verifier });
      return { kind: "password", epoch: accounts.epoch(account.id)! };
    });
  }

  /**
   * Returns the id of the token that a login began with, also through a web session; null for a password.
   *
   * @throws {LoginEnded}
   */
  #originOf({ id, credential }: Login): string | null {
    if (!this.#parts.credentials.holds(id, credential)) throw new LoginEnded();
    if (credential.kind === "token") return credential.id;
    return credential.kind === "web" ? this.#parts.webSessions.tokenOf(credential.digest) : null;
  }
}

/** A login ended before its change was made. */
class LoginEnded extends Error {}

async function unlessEnded<T>(work: () => T | Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof LoginEnded) return undefined;
    throw error;
  }
}
