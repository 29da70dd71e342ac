/** The storage of a server that is one of several nodes, which share a database and a bucket. */
import { randomUUID } from "node:crypto";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { getLogger } from "@logtape/logtape";
import type { DoorSpec } from "../door/door.ts";
import { BargeError } from "../error.ts";
import { formatAddress, hostOf } from "../net/address.ts";
import type { Certificate } from "../net/certificate.ts";
import { collectGarbage } from "../shared/upload/garbage.ts";
import { refuseMigrating } from "../migrate/state.ts";
import { sharedCertificate, sharedHostKeys } from "../shared/identity.ts";
import { forgetGoneNodes } from "../shared/nodes/membership.ts";
import { prepare } from "../shared/prepare.ts";
import { sharedVerification } from "../shared/verify/state.ts";
import { verifyShared } from "../shared/verify/verify.ts";
import { releaseStaleUploads } from "../shared/upload/stale_uploads.ts";
import { type SharedSettings, SharedStore } from "../shared/store.ts";
import { uploadById } from "../shared/tree/upload_rows.ts";
import type { FileContent } from "../storage/content.ts";
import { locate } from "../storage/path.ts";
import { type AuditStore, defaultAuditDays } from "../storage/audit/audit.ts";
import type { Verification } from "../storage/verify/verification.ts";
import type { UploadFacts } from "../watch/hooks.ts";
import type { DoorAddresses } from "../watch/nodes.ts";
import type { Adjustable } from "../watch/settings.ts";
import { attempt } from "./attempt.ts";
import { type FirstAccountOptions, makeSharedFirstAccount } from "./first_account.ts";
import type { Ground, HostKeys, Settled } from "./ground.ts";
import { NodeReporter } from "./node_reporter.ts";
import type { CommitFacts } from "./hooks/upload_facts.ts";
import { portsOf } from "./worker_permissions.ts";
import { outgoingAddresses } from "./outgoing.ts";

const log = getLogger(["barge", "serve"]);
/** The time between two collections of garbage, in ms. */
const collectMs = 60_000;

export class SharedGround implements Ground {
  /** A short interval, so that the uploads of a dead node are released soon after their leases end. */
  readonly maintenanceMs = 5_000;
  readonly verification: Verification;
  readonly #store: SharedStore;
  #collected = performance.now();

  private constructor(store: SharedStore) {
    const { parts } = store.storage;
    this.verification = {
      ...sharedVerification(parts.db, store.settings.node.id),
      async check({ after, maxBytesPerSecond, signal, onChecked, onBytes, onProblem }) {
        await verifyShared(parts, {
          repair: false,
          contents: true,
          after: after === "" ? undefined : Number(after),
          readers: 1,
          maxBytesPerSecond,
          signal,
          onChecked: (content, files) => onChecked(`${content}`, files),
          onEvent: (event) => event.type === "bytes" && onBytes(event.count),
          onProblem,
        });
      },
    };
    this.#store = store;
  }

  /**
   * Opens the storage, and brings its tables to this version.
   *
   * @throws {BargeError} `unavailable`; `fatal` for credentials, a bucket or a key that are wrong
   */
  static async open(settings: SharedSettings): Promise<SharedGround> {
    const store = new SharedStore(settings);
    try {
      await prepare(store.storage.parts, settings.version ?? "", (nodes) => {
        log.warn("the upgrade of the tables waits until these nodes report, or are gone: {nodes}", {
          nodes,
        });
      });
      await refuseMigrating(store.storage.parts);
      return new SharedGround(store);
    } catch (error) {
      await store[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** The settings in force. */
  get settings(): SharedSettings {
    return this.#store.settings;
  }

  get audit(): AuditStore {
    return this.#store.people.audit;
  }

  get history() {
    return this.#store.history;
  }

  get metrics() {
    return this.#store.metrics;
  }

  get events() {
    return this.#store.storage.events;
  }

  get acme() {
    return this.#store.acme;
  }

  /** Allows the ports of the doors, the database and the bucket; no files. */
  permissions(doors: readonly DoorSpec[]): Deno.PermissionOptions {
    const { postgres, bucket } = this.settings.shared;
    const url = new URL(bucket.url);
    const port = Number(url.port || (url.protocol === "https:" ? 443 : 80));
    const engines = [formatAddress(postgres), formatAddress({ host: hostOf(url), port })];
    return {
      net: [...new Set([...doors.flatMap(portsOf), ...outgoingAddresses(doors), ...engines])],
      env: ["PGAPPNAME"], // the database's client looks for it
      read: false,
      write: false,
      ffi: false,
      import: false,
      run: false,
      sys: false,
    };
  }

  /** Returns the certificate that all nodes show. It has the names of the node that made it. */
  async certificate(hosts: readonly string[]): Promise<Certificate> {
    return await sharedCertificate(this.#store.storage.parts.secrets, hosts);
  }

  async hostKeys(): Promise<HostKeys> {
    return await sharedHostKeys(this.#store.storage.parts.secrets);
  }

  /** Does nothing: other nodes may be at work, and {@link maintain} releases the uploads of dead ones. */
  recover(): Promise<Settled> {
    return Promise.resolve({});
  }

  async settleDead(): Promise<Settled> {
    return { resumable: await releaseStaleUploads(this.#store.storage.parts.db) };
  }

  adjust(limits: Adjustable): void {
    this.#store.adjust(limits);
  }

  async makeFirstAccount(options: FirstAccountOptions): Promise<void> {
    await makeSharedFirstAccount(this.#store.people.accounts, options);
  }

  async maintain(signal: AbortSignal): Promise<void> {
    const { parts } = this.#store.storage;
    await attempt("can't release the uploads of dead nodes", () => releaseStaleUploads(parts.db));
    if (performance.now() - this.#collected < collectMs) return;
    this.#collected = performance.now();
    await attempt("can't forget dead nodes", () => forgetGoneNodes(parts.db));
    const { auditDays = defaultAuditDays } = this.settings;
    await attempt("can't drop old records of the audit trail", () => this.audit.prune(auditDays));
    await attempt("can't remove unused content and objects", async () => {
      const { contents, objects } = await collectGarbage(parts, signal);
      if (contents + objects > 0) {
        log.info("removed {contents} contents and {objects} objects", { contents, objects });
      }
    });
  }

  async enlist(
    doors: DoorAddresses,
    stop: AbortSignal,
    onExcluded: (error: BargeError) => void,
  ): Promise<AsyncDisposable> {
    return await NodeReporter.start(this.#store, { doors, stop, onExcluded });
  }

  writeFacts(): void {}

  uploadedFile(): string {
    return temporaryFile();
  }

  /** Fetches the staged bytes into a temporary file. The upload must belong to the account. */
  async fetchUploaded(
    { upload, account }: UploadFacts,
    path: string,
    signal: AbortSignal,
  ): Promise<AsyncDisposable> {
    const { uploads, people, storage } = this.#store;
    const { id } = await people.accounts.get(account);
    const row = await uploadById(storage.parts.db, upload);
    if (row?.account !== id) throw new BargeError("not-found", "nothing is staged");
    return await fetchInto(path, await uploads.openStaged(upload, 0), signal);
  }

  committedFile({ path, account }: CommitFacts): string {
    const { place, fixed } = locate(path, account);
    if (!place || fixed) throw new BargeError("denied", "it is not a file's path", { path });
    return temporaryFile();
  }

  /** Fetches the bytes that the file has now into a temporary file. */
  async fetchCommitted(
    { path: committed, account }: CommitFacts,
    path: string,
    signal: AbortSignal,
  ): Promise<AsyncDisposable> {
    let content: FileContent;
    try {
      content = await this.#store.tree.open(locate(committed, account).place!, 0);
    } catch (error) {
      const gone = error instanceof BargeError && ["not-found", "exists"].includes(error.kind);
      if (!gone) throw error; // `exists`: a folder has its name
      return { [Symbol.asyncDispose]: () => Promise.resolve() };
    }
    return await fetchInto(path, content, signal);
  }

  async isCurrent({ path, account, sha256 }: CommitFacts): Promise<boolean> {
    const { place } = locate(path, account);
    return place !== undefined && (await this.#store.tree.entry(place))?.sha256 === sha256;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#store[Symbol.asyncDispose]();
  }
}

function temporaryFile(): string {
  return join(tmpdir(), `barge-upload-${randomUUID()}`);
}

/** Copies content into a new file, which the disposal removes. */
async function fetchInto(
  path: string,
  content: FileContent,
  signal: AbortSignal,
): Promise<AsyncDisposable> {
  try {
    using file = await Deno.open(path, { write: true, createNew: true, mode: 0o600 });
    for await (const piece of content.pieces()) {
      signal.throwIfAborted();
      for (let done = 0; done < piece.length;) done += await file.write(piece.subarray(done));
    }
  } catch (error) {
    await Deno.remove(path).catch(() => {/* it was not made */});
    throw error;
  } finally {
    content.close();
  }
  return { [Symbol.asyncDispose]: () => Deno.remove(path) };
}
