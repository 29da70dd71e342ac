/** The storage under a server, as its supervisor prepares it and keeps it in order. */
import type { DoorSpec } from "../door/door.ts";
import type { Settings } from "../local/store.ts";
import type { Certificate } from "../net/certificate.ts";
import type { HostKey } from "../net/host_keys.ts";
import type { SharedSettings } from "../shared/store.ts";
import type { History } from "../watch/history.ts";
import type { UploadFacts } from "../watch/hooks.ts";
import type { Metrics } from "../watch/metrics.ts";
import type { FirstAccountOptions } from "./first_account.ts";

/** The settings of a server's workers: those of one machine, or of many. */
export type WorkerSettings = Settings | SharedSettings;

/** What a server settled that an earlier one, or a dead worker, has left. */
export type Settled = Readonly<Record<string, number>>;

/** The keys of the SFTP door. */
export interface HostKeys {
  readonly shown: readonly HostKey[];
  /** The private keys, in OpenSSH's format. */
  readonly secret: readonly string[];
}

export interface Ground extends AsyncDisposable {
  readonly settings: WorkerSettings;
  readonly history: History;
  readonly metrics: Metrics;
  /** The time between two calls of {@link maintain}, in ms. */
  readonly maintenanceMs: number;
  /** Returns the permissions of a worker. */
  permissions(doors: readonly DoorSpec[]): Deno.PermissionOptions;
  /** Returns the certificate that barge makes for itself. @param hosts the addresses that it is for */
  certificate(hosts: readonly string[]): Promise<Certificate>;
  hostKeys(): Promise<HostKeys>;
  /** Settles what an earlier server has left. */
  recover(): Promise<Settled>;
  /** Settles what a worker has left that is certainly dead. @param startId its name */
  settleDead(startId: string): Promise<Settled>;
  makeFirstAccount(options: FirstAccountOptions): Promise<void>;
  /** Drops what is too old. */
  maintain(signal: AbortSignal): Promise<void>;
  /** Records the facts of the server for other commands. */
  writeFacts(certificate: Certificate | undefined, certificateFile: string | undefined): void;
  /**
   * Returns the path at which a program will read the bytes of an upload.
   *
   * @throws {BargeError} for a forged message
   */
  uploadedFile(upload: UploadFacts): string;
  /** Puts the bytes at that path, until they are disposed of. @throws {BargeError} when they are gone */
  fetchUploaded(upload: UploadFacts, path: string, signal: AbortSignal): Promise<AsyncDisposable>;
}
