/** The native door in this process, with what a test wants of it. */
import { Database } from "../../../core/local/database/database.ts";
import { defaultTimeouts, type Timeouts } from "../../../core/door/native/timeouts.ts";
import { formatAddress } from "../../../core/net/address.ts";
import { makeVerifier } from "../../../core/protocol/verifier.ts";
import { prepareData } from "../../../core/serve/data.ts";
import type { Door } from "../../../core/door/door.ts";
import { openDoor } from "../../../core/door/native/listen.ts";
import { type Settings, Store } from "../../../core/local/store.ts";

/** The door in this process, with timeouts of its own and the account anna. */
export class Here implements AsyncDisposable {
  private constructor(
    readonly store: Store,
    readonly door: Door,
    readonly address: string,
    readonly token: string,
  ) {}

  static async start(
    timeouts: Partial<Timeouts>,
    settings: Partial<Settings> = {},
  ): Promise<Here> {
    const data = prepareData(await Deno.makeTempDir({ prefix: "barge-door-" }));
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
    const { id } = store.accounts.add({ name: "anna", role: "user", limit: null, verifier });
    const { token } = await store.tokens.issue(id, "test");
    const usual = { beforeLogin: 60_000, idle: 60_000, request: 60_000, linger: 60_000 };
    const spec = { name: "native", address: { host: "127.0.0.1", port: 0 }, tls: "off" } as const;
    const door = openDoor(
      { store, spec, reusePort: false, tls: undefined },
      { ...defaultTimeouts, pause: undefined, ...usual, ...timeouts },
    );
    return new Here(store, door, formatAddress(door.address), token!);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.door.stop(0);
    this.store[Symbol.dispose]();
    await Deno.remove(this.store.settings.data, { recursive: true });
  }
}
