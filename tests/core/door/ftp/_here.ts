/** Opens an FTP door in this process, with the options of a test. */
import { verifierOf } from "../../../_passwords.ts";
import { sessionOf } from "../../_session.ts";
import { Database } from "../../../../core/local/database/database.ts";
import type { Door, DoorSpec, FtpSpec } from "../../../../core/door/door.ts";
import { openDoor } from "../../../../core/door/ftp/listen.ts";
import { defaultTimeouts, type Timeouts } from "../../../../core/door/ftp/timeouts.ts";
import type { KeyPair } from "../../../../core/net/certificate.ts";
import { makeSelfSigned } from "../../../../core/net/self_signed.ts";
import { prepareData } from "../../../../core/serve/data.ts";
import type { Session } from "../../../../core/login/session.ts";
import { type Settings, Store } from "../../../../core/local/store.ts";

let made: Promise<KeyPair> | undefined;

export interface Wanted {
  readonly timeouts?: Partial<Timeouts>;
  readonly settings?: Partial<Settings>;
  readonly ftp?: Partial<FtpSpec>;
  readonly tls?: DoorSpec["tls"];
  readonly name?: "ftp" | "ftps";
  /** Anna's quota. */
  readonly limit?: number | null;
}

/** A door on its own port, with the account anna and a token of hers. */
export class Here implements AsyncDisposable {
  #stopped: Promise<void> | undefined;

  private constructor(
    readonly store: Store,
    readonly door: Door,
    readonly token: string,
  ) {}

  static async start(wanted: Wanted = {}): Promise<Here> {
    const { name = "ftp", tls = "offer", limit = null } = wanted;
    const data = prepareData(await Deno.makeTempDir({ prefix: "barge-ftp-" }));
    new Database(data, { create: true })[Symbol.dispose]();
    const store = new Store({
      ...{ data, durability: "relaxed", allowRegister: false, defaultLimit: null, maxLimit: null },
      ...wanted.settings,
    });
    const verifier = await verifierOf("anna-secret");
    const { id } = store.accounts.add({ name: "anna", role: "user", limit, verifier });
    const { token } = await store.tokens.issue(id, "test");
    const address = { host: "127.0.0.1", port: 0 };
    const ftp: FtpSpec = {
      ...{ passive: [22_500, 22_999], publicAddress: undefined, active: false },
      ...{ activeLoopback: false, sessionReuse: "tickets", ...wanted.ftp },
    };
    const door = await openDoor({
      ...{ store, spec: { name, address, tls, ftp }, reusePort: false },
      tls: tls === "off" ? undefined : await (made ??= makeSelfSigned(["127.0.0.1"])),
    }, { ...defaultTimeouts, linger: 100, ...wanted.timeouts });
    return new Here(store, door, token!);
  }

  get port(): number {
    return this.door.address.port;
  }

  /** Returns a session of anna, without a door. */
  session(): Session {
    return sessionOf(this.store, "anna");
  }

  /** Returns the path on disk of a file in anna's home. */
  disk(name: string): string {
    return `${this.store.settings.data}/homes/anna/${name}`;
  }

  /** Stops the door; later calls do nothing. */
  stop(grace: number): Promise<void> {
    return this.#stopped ??= this.door.stop(grace);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop(0);
    this.store[Symbol.dispose]();
    await Deno.remove(this.store.settings.data, { recursive: true });
  }
}
