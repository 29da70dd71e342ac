/** The storage of a server on one machine: a data directory that no other server uses. */
import { statfsSync } from "node:fs";
import { refuseMarked } from "../migrate/marker.ts";
import { getLogger } from "@logtape/logtape";
import { audienceOf, formatMode } from "../disk/file_mode.ts";
import type { DoorSpec } from "../door/door.ts";
import { makeLogRoom } from "../local/database/log_room.ts";
import { makeRemovedFolder } from "../local/remove_account.ts";
import { type Settings, Store } from "../local/store.ts";
import { localVerification } from "../local/verification.ts";
import type { Upgraded } from "../local/upgrade.ts";
import { makeFenceTable } from "../local/vault/fences.ts";
import type { Certificate } from "../net/certificate.ts";
import { ownHostKeys, readPrivateKeys } from "../net/host_keys.ts";
import { ownCertificate } from "../net/own_certificate.ts";
import { expire, recover } from "../repair/recover.ts";
import { verifyFiles } from "../repair/verify_files.ts";
import { settleDead } from "../repair/settle_dead.ts";
import { type AuditStore, defaultAuditDays } from "../storage/audit/audit.ts";
import { locate } from "../storage/path.ts";
import type { Verification } from "../storage/verify/verification.ts";
import type { UploadFacts } from "../watch/hooks.ts";
import type { Adjustable } from "../watch/settings.ts";
import { attempt } from "./attempt.ts";
import { requireConfinable } from "./confinement.ts";
import { type DataLock, lockData, openUpToDate, prepareData } from "./data.ts";
import { type FirstAccountOptions, makeFirstAccount } from "./first_account.ts";
import type { Ground, HostKeys, Settled } from "./ground.ts";
import { committedFile, uploadedFile } from "./hooks/uploaded_file.ts";
import type { CommitFacts } from "./hooks/upload_facts.ts";
import { workerPermissions } from "./worker_permissions.ts";

const log = getLogger(["barge", "serve"]);

export interface LocalGroundOptions {
  readonly settings: Settings;
  readonly workers: number;
  /** Make a new database in place of a lost one, and give admin the files in homes/admin. */
  readonly adopt: boolean;
  /** Accept a data directory to which the runtime can't confine workers. */
  readonly unconfined?: boolean;
}

export class LocalGround implements Ground {
  readonly maintenanceMs = 3600 * 1000;
  readonly verification: Verification;
  readonly #store: Store;
  readonly #lock: DataLock;
  readonly #unconfined: boolean;

  private constructor(store: Store, lock: DataLock, unconfined: boolean) {
    const check: Verification["check"] = (options) => verifyFiles(store, options);
    this.verification = { ...localVerification(store.db), check };
    this.#store = store;
    this.#lock = lock;
    this.#unconfined = unconfined;
  }

  /**
   * Prepares, locks and opens the data directory.
   *
   * @throws {BargeError} `fatal` when it is in use, lost, damaged or too new; `usage` when workers can't
   *   be confined to it
   */
  static async open(options: LocalGroundOptions): Promise<LocalGround> {
    const { adopt, unconfined = false, workers } = options;
    const { durability } = options.settings;
    if (!unconfined) requireConfinable(options.settings.data);
    const data = prepareData(options.settings.data);
    warnOfMode(data);
    const lock = await lockData(data);
    try {
      refuseMarked(data);
      (await openUpToDate(data, { create: true, adopt, durability }, logUpgrade))[Symbol.dispose]();
      const settings = { ...options.settings, data, fences: makeFenceTable(workers) };
      return new LocalGround(new Store(settings), lock, unconfined);
    } catch (error) {
      lock[Symbol.dispose]();
      throw error;
    }
  }

  /** The settings in force. */
  get settings(): Settings {
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
    return this.#store.events;
  }

  get acme() {
    return this.#store.acme;
  }

  permissions(doors: readonly DoorSpec[]): Deno.PermissionOptions {
    return workerPermissions(this.settings.data, doors, this.#unconfined);
  }

  async certificate(hosts: readonly string[]): Promise<Certificate> {
    return await ownCertificate(this.settings.data, hosts);
  }

  async hostKeys(): Promise<HostKeys> {
    const { data } = this.settings;
    return { shown: await ownHostKeys(data), secret: await readPrivateKeys(data) };
  }

  async recover(): Promise<Settled> {
    await attempt("can't reserve space for removals on a full disk", () => {
      makeRemovedFolder(this.#store.vault);
      makeLogRoom(this.settings.data);
    });
    const recovered = { ...await recover(this.#store) };
    await this.#pruneAudit();
    return recovered;
  }

  async settleDead(startId: string): Promise<Settled> {
    return { ...await settleDead(this.#store, startId) };
  }

  adjust(limits: Adjustable): void {
    this.#store.adjust(limits);
  }

  async makeFirstAccount(options: FirstAccountOptions): Promise<void> {
    await makeFirstAccount(this.#store.people.accounts, this.settings.data, options);
  }

  async maintain(): Promise<void> {
    await attempt("can't drop old uploads", () => expire(this.#store));
    await this.#pruneAudit();
  }

  async #pruneAudit(): Promise<void> {
    const { auditDays = defaultAuditDays } = this.settings;
    await attempt("can't drop old records of the audit trail", () => this.audit.prune(auditDays));
  }

  /** Measures the file system of the data directory. */
  measureDisk(): void {
    const { metrics } = this;
    try {
      const { blocks, bavail, bsize } = statfsSync(this.settings.data);
      metrics.setGauge("diskSize", blocks * bsize);
      metrics.setGauge("diskAvailable", bavail * bsize);
    } catch {
      // Without a record in the log: the next measurement follows within seconds.
      metrics.setGauge("diskSize", undefined);
      metrics.setGauge("diskAvailable", undefined);
    }
  }

  writeFacts(certificate: Certificate | undefined, file: string | undefined): void {
    const facts = certificate && {
      file: file ?? null,
      fingerprint: certificate.fingerprint,
      names: certificate.names,
      from: certificate.from.toISOString(),
      until: certificate.until.toISOString(),
    };
    const { version = "unknown" } = this.settings;
    void attempt("can't write the certificate's facts for `barge cert`", () => {
      this.#lock.writeFacts({ pid: Deno.pid, version, certificate: facts ?? null });
    });
  }

  uploadedFile(upload: UploadFacts): string {
    return uploadedFile(this.#store.vault, upload);
  }

  /** Does nothing: the bytes are at the path already. */
  fetchUploaded(): Promise<AsyncDisposable> {
    return Promise.resolve({ [Symbol.asyncDispose]: () => Promise.resolve() });
  }

  committedFile(file: CommitFacts): string {
    return committedFile(this.#store.vault, file);
  }

  /** Does nothing: the bytes are at the path already. */
  fetchCommitted(): Promise<AsyncDisposable> {
    return this.fetchUploaded();
  }

  async isCurrent({ path, account, sha256 }: CommitFacts): Promise<boolean> {
    const { place } = locate(path, account);
    return place !== undefined && (await this.#store.tree.entry(place))?.sha256 === sha256;
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#store[Symbol.dispose]();
    this.#lock[Symbol.dispose]();
    return Promise.resolve();
  }
}

/** Logs a warning if every user can enter, list or change the data directory, as in a new tmpfs. */
function warnOfMode(data: string): void {
  const { mode } = Deno.statSync(data);
  if (Deno.build.os === "windows" || audienceOf(mode) !== "others") return;
  log.warn("the mode of the data directory, {mode}, admits every user: run chmod 700 {data}", {
    mode: formatMode(mode),
    data,
  });
}

function logUpgrade({ from, to, copy }: Upgraded): void {
  log.warn(
    "accounts.db: the tables were upgraded from version {from} to {to}; " +
      "the old database was copied to {copy}",
    { from, to, copy },
  );
}
