/** The storage of a server as the supervisor uses it: to prepare it, maintain it and recover from crashes. */
import type { DoorSpec } from "../door/door.ts";
import type { Settings } from "../local/store.ts";
import type { Certificate } from "../net/certificate.ts";
import type { HostKey } from "../net/host_keys.ts";
import type { BargeError } from "../error.ts";
import type { AcmeStore } from "../storage/acme.ts";
import type { SharedSettings } from "../shared/store.ts";
import type { AuditStore } from "../storage/audit/audit.ts";
import type { Verification } from "../storage/verify/verification.ts";
import type { History } from "../watch/history.ts";
import type { EventStore } from "../storage/events.ts";
import type { UploadFacts } from "../watch/hooks.ts";
import type { Metrics } from "../watch/metrics.ts";
import type { DoorAddresses } from "../watch/nodes.ts";
import type { Adjustable } from "../watch/settings.ts";
import type { FirstAccountOptions } from "./first_account.ts";
import type { CommitFacts } from "./hooks/upload_facts.ts";

/** The settings of a server's workers: those of one machine, or of many. */
export type WorkerSettings = Settings | SharedSettings;

/** The numbers of unfinished uploads and changes that were settled after a crash, by their kinds. */
export type Settled = Readonly<
  Partial<Record<"changes" | "settled" | "resumable" | "dropped", number>>
>;

/** The keys of the SFTP door. */
export interface HostKeys {
  readonly shown: readonly HostKey[];
  /** The private keys, in OpenSSH's format. */
  readonly secret: readonly string[];
}

export interface Ground extends AsyncDisposable {
  readonly settings: WorkerSettings;
  readonly audit: AuditStore;
  readonly verification: Verification;
  readonly history: History;
  readonly metrics: Metrics;
  readonly events: EventStore;
  /** The records of certificates by ACME. */
  readonly acme: AcmeStore;
  /** The time between two calls of {@link maintain}, in ms. */
  readonly maintenanceMs: number;
  /** Returns the permissions of a worker. */
  permissions(doors: readonly DoorSpec[]): Deno.PermissionOptions;
  /** Returns the certificate that barge makes for itself. @param hosts the addresses that it is for */
  certificate(hosts: readonly string[]): Promise<Certificate>;
  hostKeys(): Promise<HostKeys>;
  /** Settles the uploads and changes that an earlier server has left unfinished. */
  recover(): Promise<Settled>;
  /** Settles the uploads and changes of a worker that is certainly dead. @param startId the worker's name */
  settleDead(startId: string): Promise<Settled>;
  /** Applies other limits and rules to what the supervisor does itself. */
  adjust(limits: Adjustable): void;
  makeFirstAccount(options: FirstAccountOptions): Promise<void>;
  /** Runs the periodic maintenance, such as dropping expired uploads. */
  maintain(signal: AbortSignal): Promise<void>;
  /**
   * Adds the server to the list of nodes, until the disposal of the result. Absent on one machine.
   *
   * @param stop aborted when the server begins to stop
   * @param onExcluded called where the tables have meanwhile become too new for this server, which must end
   * @throws {BargeError} `fatal` where they are too new already; `unavailable`
   */
  enlist?(
    doors: DoorAddresses,
    stop: AbortSignal,
    onExcluded: (error: BargeError) => void,
  ): Promise<AsyncDisposable>;
  /** Measures the disk for the metrics. Absent where storage is shared. */
  measureDisk?(): void;
  /** Records the facts of the server for other commands. */
  writeFacts(certificate: Certificate | undefined, certificateFile: string | undefined): void;
  /**
   * Returns the path at which a program will read the staged bytes of an upload.
   *
   * @throws {BargeError} for a forged message
   */
  uploadedFile(upload: UploadFacts): string;
  /**
   * Puts the bytes of an upload at the path that {@link uploadedFile} returned, until disposal.
   *
   * @throws {BargeError} when the bytes are gone
   */
  fetchUploaded(upload: UploadFacts, path: string, signal: AbortSignal): Promise<AsyncDisposable>;
  /**
   * Returns the path at which a program will read the bytes of a committed file.
   *
   * @throws {BargeError} for a forged row
   */
  committedFile(file: CommitFacts): string;
  /**
   * Puts the bytes of a committed file at the path that {@link committedFile} returned, until disposal. If the
   * file is gone, nothing is there.
   */
  fetchCommitted(file: CommitFacts, path: string, signal: AbortSignal): Promise<AsyncDisposable>;
  /** Returns whether a committed file still has its path and its bytes. */
  isCurrent(file: CommitFacts): Promise<boolean>;
}
