/** The tables of the checks of `barge doctor`. Their ids never change: scripts read them. */
import { checkBucketClock, checkDatabaseClock, checkFileClock } from "./clock.ts";
import {
  checkGivenCertificate,
  checkOwnCertificate,
  checkProxyCertificate,
  checkSharedCertificate,
} from "./certificate.ts";
import { checkNodes } from "./cluster_nodes.ts";
import { checkConfigFile } from "./config_file.ts";
import { checkDataDirectory } from "./data_directory.ts";
import { checkDataMode } from "./data_mode.ts";
import { checkDataOwner } from "./data_owner.ts";
import { checkDescriptors } from "./descriptors.ts";
import { checkDiskBytes, checkInodes } from "./disk_room.ts";
import { checkDurability } from "./durability.ts";
import { checkFailedLogins, checkSharedFailedLogins } from "./failed_logins.ts";
import { checkFileSystem } from "./file_system.ts";
import type { Verdict } from "./finding.ts";
import { checkLeftovers } from "./leftovers.ts";
import { checkNamedFiles } from "./named_files.ts";
import { checkPlainDoors } from "./plain_doors.ts";
import { checkProxyAddresses } from "./proxy_addresses.ts";
import { checkSecretFiles } from "./secret_files.ts";
import { checkServerProcess } from "./server_process.ts";
import type { LocalSetup, Setup, SharedSetup } from "./setup.ts";
import {
  checkBucket,
  checkDatabase,
  checkDatabaseDurability,
  checkMigration,
} from "./shared_storage.ts";

/** A check of a setup. */
export interface Check<T> {
  readonly id: string;
  /** The id of an earlier check without which this one is skipped, where that one is `bad`. */
  readonly needs?: string;
  run(setup: T): readonly Verdict[] | Promise<readonly Verdict[]>;
}

/** Checks of every setup. */
export const commonChecks: readonly Check<Setup | LocalSetup>[] = [
  { id: "secret-files", run: checkSecretFiles },
  { id: "named-files", run: checkNamedFiles },
  { id: "config-file", run: checkConfigFile },
  { id: "plain-doors", run: checkPlainDoors },
  { id: "certificate", run: checkGivenCertificate },
  { id: "proxy-certificate", run: checkProxyCertificate },
  { id: "proxy-addresses", run: checkProxyAddresses },
  { id: "descriptors", run: checkDescriptors },
];

const inDirectory = { needs: "data-directory" };

/** Checks of a data directory. */
export const localChecks: readonly Check<LocalSetup>[] = [
  { id: "data-directory", run: checkDataDirectory },
  { id: "data-mode", ...inDirectory, run: checkDataMode },
  { id: "data-owner", ...inDirectory, run: checkDataOwner },
  { id: "leftovers", ...inDirectory, run: checkLeftovers },
  { id: "file-system", ...inDirectory, run: checkFileSystem },
  { id: "disk-bytes", ...inDirectory, run: checkDiskBytes },
  { id: "inodes", ...inDirectory, run: checkInodes },
  { id: "durability", run: checkDurability },
  { id: "file-clock", ...inDirectory, run: checkFileClock },
  { id: "certificate", ...inDirectory, run: checkOwnCertificate },
  { id: "failed-logins", ...inDirectory, run: checkFailedLogins },
  { id: "server-process", ...inDirectory, run: checkServerProcess },
];

const inDatabase = { needs: "database" };

/** Checks of storage that many machines share. */
export const sharedChecks: readonly Check<SharedSetup>[] = [
  { id: "database", run: checkDatabase },
  { id: "database-durability", ...inDatabase, run: checkDatabaseDurability },
  { id: "database-clock", ...inDatabase, run: checkDatabaseClock },
  { id: "migration", ...inDatabase, run: checkMigration },
  { id: "bucket", run: checkBucket },
  { id: "bucket-clock", needs: "bucket", run: checkBucketClock },
  { id: "certificate", ...inDatabase, run: checkSharedCertificate },
  { id: "failed-logins", ...inDatabase, run: checkSharedFailedLogins },
  { id: "nodes", ...inDatabase, run: checkNodes },
];
