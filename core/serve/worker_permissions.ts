/** The permissions of a worker on one machine. */
import { existsSync } from "node:fs";
import { getLogger } from "@logtape/logtape";
import type { DoorSpec } from "../door/door.ts";
import { acmePathsOfWorkers } from "../local/vault/acme_files.ts";
import { adminPasswordFile } from "../local/account/admin_password.ts";
import { databaseFile } from "../local/database/database.ts";
import { removedDir } from "../local/remove_account.ts";
import { stagingDir } from "../local/vault/staging.ts";
import { formatAddress } from "../net/address.ts";
import { isUnconfinable, requireConfinable } from "./confinement.ts";
import { outgoingAddresses } from "./outgoing.ts";

const log = getLogger(["barge", "serve"]);

/**
 * Returns the permissions of a worker: its ports, users' files and the database, but not the keys in `tls`,
 * `ssh` and `acme`, the lock and copies of the database. With ACME it may read the answers to challenges. It may
 * remove the file with the first admin's password, if there is one, and not read it. SQLite opens the database's
 * log (`-wal`, `-shm`) without a permission check.
 *
 * The runtime compares the path of each call with each of these paths, so that one more takes 2 % of the time for a
 * small file.
 *
 * @param data the data directory's real path
 * @param unconfined the operator accepts a directory where no permission can be enforced
 * @throws {BargeError} `usage` for such a directory without `unconfined`
 */
export function workerPermissions(
  data: string,
  doors: readonly DoorSpec[],
  unconfined = false,
): Deno.PermissionOptions {
  if (!unconfined) requireConfinable(data);
  if (isUnconfinable(data)) {
    log.warn("the workers are not confined: the runtime can't confine them to {data}", { data });
    return "inherit";
  }
  const files = ["homes", "public", stagingDir, removedDir, databaseFile];
  const readable = doors.some(({ challenge }) => challenge) ? acmePathsOfWorkers : [];
  const removable = [adminPasswordFile].filter((name) => existsSync(`${data}/${name}`));
  const pathsOf = (names: readonly string[]) => names.map((name) => `${data}/${name}`);
  return {
    read: pathsOf([...files, ...readable]),
    write: pathsOf([...files, ...removable]),
    net: [...new Set([...doors.flatMap(portsOf), ...outgoingAddresses(doors)])],
    env: false,
    ffi: false,
    import: false,
    run: false,
    sys: false,
  };
}

/**
 * Returns the addresses where a door listens, in the syntax of the runtime's permissions. A worker needs no
 * permission for a socket whose descriptor it gets.
 */
export function portsOf({ address, descriptor, ftp }: DoorSpec): string[] {
  const ports = descriptor === undefined ? [address.port] : [];
  if (ftp) { for (let port = ftp.passive[0]; port <= ftp.passive[1]; port++) ports.push(port); }
  return ports.map((port) => formatAddress({ host: address.host, port }));
}
