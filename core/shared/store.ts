/** Storage that many machines share, with the counts and limits of the isolate that uses it. */
import { randomUUID } from "node:crypto";
import { defaultBanAfter } from "../storage/logins.ts";
import type { Hooks } from "../watch/hooks.ts";
import type { NodeIdentity } from "../watch/nodes.ts";
import { LiveLogins } from "../watch/live_logins.ts";
import type { ServiceSettings, WorkerTables } from "../watch/settings.ts";
import { Watching } from "../watch/watching.ts";
import { AcmeSecrets } from "./acme_secrets.ts";
import { SharedOutbox } from "./database/outbox.ts";
import { SharedNodes } from "./nodes/nodes.ts";
import { type SharedOptions, SharedStorage } from "./storage.ts";

/** The operator's settings: plain data, so that they can be posted to a worker. */
export interface SharedSettings extends ServiceSettings, WorkerTables {
  readonly shared: SharedOptions;
  readonly node: NodeIdentity;
}

export class SharedStore extends Watching<SharedSettings> implements AsyncDisposable {
  readonly storage: SharedStorage;
  readonly people: SharedStorage["people"];
  readonly tree: SharedStorage["tree"];
  readonly uploads: SharedStorage["uploads"];
  readonly attached: SharedStorage["attached"];
  readonly live: LiveLogins;
  readonly nodes: SharedNodes;
  readonly acme: AcmeSecrets;
  readonly #serving = new AsyncDisposableStack();

  /** The parameters are those of `Store` in core/local/store.ts. */
  constructor(
    settings: SharedSettings,
    worker = 0,
    hooks: Hooks = {},
    startId: string = randomUUID(),
  ) {
    super(settings, worker, hooks);
    const banAfter = () => this.settings.banAfter ?? defaultBanAfter;
    const outbox = new SharedOutbox(settings.events, hooks.eventsWritten);
    this.storage = new SharedStorage(settings.shared, banAfter, startId, outbox);
    const { people, tree, uploads, attached } = this.storage;
    this.people = people;
    this.tree = tree;
    this.uploads = uploads;
    this.attached = attached;
    this.live = new LiveLogins(people.logins);
    this.acme = new AcmeSecrets(this.storage.parts);
    this.nodes = new SharedNodes(this.storage.parts.db, settings.node);
  }

  /** Gives up uploads that other nodes ask for, until the store is disposed of. Call it once. */
  async serve(): Promise<void> {
    this.#serving.use(await this.uploads.serve());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#serving.disposeAsync();
    this.live[Symbol.dispose]();
    await this.storage[Symbol.asyncDispose]();
  }
}
