/** Opens the HTTP door in this process, with the accounts of a test. */
import { sessionOf } from "../../_session.ts";
import { Database } from "../../../../core/local/database/database.ts";
import type { Role } from "../../../../core/storage/account.ts";
import { listenHttp } from "../../../../core/door/http/listen.ts";
import { defaultTimeouts, type Timeouts } from "../../../../core/door/http/watchdog.ts";
import type { Door, DoorSpec } from "../../../../core/door/door.ts";
import { formatAddress } from "../../../../core/net/address.ts";
import type { KeyPair } from "../../../../core/net/certificate.ts";
import { makeVerifier } from "../../../../core/protocol/verifier.ts";
import { verifierOf } from "../../../_passwords.ts";
import { prepareData } from "../../../../core/serve/data.ts";
import type { Hooks } from "../../../../core/watch/hooks.ts";
import type { Session } from "../../../../core/login/session.ts";
import { type Settings, Store } from "../../../../core/local/store.ts";
import { basic, Client, type Headers } from "./_client.ts";

export const api = "/api/v1";

export class Web implements AsyncDisposable {
  readonly #clients: Client[] = [];

  private constructor(
    readonly store: Store,
    readonly door: Door,
    /** HOST:PORT. */
    readonly address: string,
    /** The certificate of the server; undefined without TLS. */
    readonly cert?: string,
  ) {}

  static async start(
    settings: Partial<Settings> = {},
    timeouts: Partial<Timeouts> = {},
    hooks: Hooks = {},
    tls?: KeyPair,
    front: Partial<DoorSpec> = {},
  ): Promise<Web> {
    const data = prepareData(await Deno.makeTempDir({ prefix: "barge-http-" }));
    new Database(data, { create: true })[Symbol.dispose]();
    const store = new Store(
      {
        data,
        durability: "relaxed",
        allowRegister: false,
        defaultLimit: null,
        maxLimit: null,
        ...settings,
      },
      0,
      hooks,
    );
    const spec = {
      name: "http",
      address: { host: "127.0.0.1", port: 0 },
      tls: tls ? "require" : "off",
      ...front,
    } as const;
    const opening = { store, spec, reusePort: false, tls };
    const door = await listenHttp(opening, { ...defaultTimeouts, ...timeouts });
    return new Web(store, door, formatAddress(door.address), tls?.cert);
  }

  /** Makes an account and a client that logs in by a token, which needs no scrypt. */
  async user(name: string, limit: number | null = null, role: Role = "user"): Promise<Client> {
    const verifier = await makeVerifier("token", "unused");
    const { id } = this.store.accounts.add({ name, role, limit, verifier });
    const { token } = await this.store.tokens.issue(id, "test");
    return await this.client({ authorization: `Bearer ${token}` });
  }

  /** Makes an account whose password is `NAME-secret`. */
  async withPassword(name: string, role: Role = "user"): Promise<Client> {
    const verifier = await verifierOf(`${name}-secret`);
    this.store.accounts.add({ name, role, limit: null, verifier });
    return await this.client(basic(name));
  }

  /** Returns a session of an existing account. */
  session(name: string, store = this.store): Session {
    return sessionOf(store, name);
  }

  /** Opens a connection, which is closed at the end of the test. */
  async client(headers: Headers = {}): Promise<Client> {
    const client = await Client.open(this.address, headers, this.cert);
    this.#clients.push(client);
    return client;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of this.#clients) client[Symbol.dispose]();
    await this.door.stop(0);
    this.store[Symbol.dispose]();
    await Deno.remove(this.store.settings.data, { recursive: true });
  }
}
