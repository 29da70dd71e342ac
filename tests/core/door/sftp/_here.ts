/** The SFTP door in this process, for tests. */
import { Database } from "../../../../core/local/database/database.ts";
import type { Door } from "../../../../core/door/door.ts";
import type { Timeouts } from "../../../../core/door/sftp/connection.ts";
import { listenSftp } from "../../../../core/door/sftp/listen.ts";
import { formatAddress } from "../../../../core/net/address.ts";
import { readPrivateKeys } from "../../../../core/net/host_keys.ts";
import { makeVerifier } from "../../../../core/protocol/verifier.ts";
import { prepareData } from "../../../../core/serve/data.ts";
import { type Settings, Store } from "../../../../core/local/store.ts";
import { layHostKeys } from "../../../_host_keys.ts";
import { SftpPeer, ssh } from "./_peer.ts";

/** A door in this process with its own time limits, and the account anna. */
export class SftpHere implements AsyncDisposable {
  #stopped: Promise<void> | undefined;

  private constructor(
    readonly store: Store,
    readonly door: Door,
    readonly address: string,
    readonly login: { readonly username: string; readonly password: string },
  ) {}

  static async start(
    timeouts: Partial<Timeouts> = {},
    settings: Partial<Settings> = {},
    limit: number | null = null,
  ): Promise<SftpHere> {
    const data = prepareData(await Deno.makeTempDir({ prefix: "barge-sftp-" }));
    await layHostKeys(data);
    new Database(data, { create: true })[Symbol.dispose]();
    const store = new Store({
      data,
      durability: "relaxed",
      allowRegister: false,
      defaultLimit: null,
      maxLimit: null,
      ...settings,
    });
    const verifier = await makeVerifier("token", "unused");
    const { id } = store.accounts.add({ name: "anna", role: "user", limit, verifier });
    const { token } = await store.tokens.issue(id, "test");
    const minute = 60_000;
    const usual = { login: minute, beforeLogin: minute, idle: minute, request: minute };
    const any = { host: "127.0.0.1", port: 0 };
    const hostKeys = await readPrivateKeys(data);
    const door = listenSftp(store, any, false, hostKeys, { ...usual, ...timeouts });
    const login = { username: "anna", password: token };
    return new SftpHere(store, door, formatAddress(door.address), login);
  }

  /** The folder of anna's files. */
  get home(): string {
    return `${this.store.settings.data}/homes/anna`;
  }

  ssh() {
    return ssh(this.address, this.login);
  }

  peer(): Promise<SftpPeer> {
    return SftpPeer.open(this.address, this.login);
  }

  /** Waits until all connections are closed. */
  async drained(): Promise<void> {
    while (this.door.connections > 0) await new Promise((resolve) => setTimeout(resolve, 10));
  }

  /** @param grace in ms */
  stop(grace = 0): Promise<void> {
    return this.#stopped ??= this.door.stop(grace);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    this.store[Symbol.dispose]();
    await Deno.remove(this.store.settings.data, { recursive: true });
  }
}
