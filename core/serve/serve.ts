/** `barge serve`: from an empty directory to a server that accepts connections, and back. */
import { getLogger } from "@logtape/logtape";
import { randomInt } from "node:crypto";
import type { Accounts } from "../local/account/accounts.ts";
import { defaultQuota } from "../storage/accounts.ts";
import {
  dropAdminPassword,
  firstAdmin,
  keepAdminPassword,
} from "../local/account/admin_password.ts";
import { makeLogRoom } from "../local/database/log_room.ts";
import type { Upgraded } from "../local/upgrade.ts";
import { type DoorName, doorNames, type DoorSpec, type FtpSpec } from "../door/door.ts";
import { BargeError, typed } from "../error.ts";
import { type Address, formatAddress } from "../net/address.ts";
import type { HostKey } from "../net/host_keys.ts";
import { makeVerifier } from "../protocol/verifier.ts";
import { makeDerivationTable } from "../login/derivations.ts";
import { makeTally } from "../watch/gate.ts";
import { makeHistory, sampleEvery } from "../watch/history.ts";
import { makeBoard } from "../watch/metrics.ts";
import { expire, recover } from "../repair/recover.ts";
import { makeRemovedFolder } from "../local/remove_account.ts";
import { settleDead } from "../repair/settle_dead.ts";
import { type Settings, Store } from "../local/store.ts";
import type { Adjustable } from "../watch/settings.ts";
import { makeFenceTable } from "../local/vault/fences.ts";
import type { Certificate } from "../net/certificate.ts";
import { needConfinable } from "./confinable.ts";
import { type Held, holdData, openUpToDate, prepareData } from "./data.ts";
import { type HookOptions, HookPrograms } from "./hooks.ts";
import { configureLog, flushLog } from "./log.ts";
import type { Level } from "./levels.ts";
import { Notifier } from "./notify.ts";
import { type CertificateSource, certificateSource, type Security, tlsOf } from "./security.ts";
import { Supervisor } from "./supervisor.ts";

const log = getLogger(["barge", "serve"]);
const expireEvery = 3600 * 1000;

/** Where the doors listen, once they do; null for one that is off. */
export type Ready = { readonly [door in DoorName]: string | null } & {
  /** With --metrics alone. */
  readonly metrics?: string;
  readonly fingerprint: string | null;
};

/** The first admin's password, or the file that holds it. */
export type FirstPassword = { readonly password: string } | { readonly file: string };

export interface ServeOptions extends Settings, Security {
  /** Where each door is to listen; null for one that is to be off. */
  readonly doors: { readonly [door in DoorName]: Address | null };
  readonly ftp: FtpSpec;
  /** Where the numbers for Prometheus are served to everybody; null: nowhere. */
  readonly metrics?: Address | null;
  /** Proxies in front of the doors, and the URL of the HTTP door behind them. */
  readonly trustedProxies?: readonly string[];
  readonly proxyProtocol?: boolean;
  readonly publicUrl?: string;
  /** How many isolates accept connections. */
  readonly workers: number;
  /** Stops it. */
  readonly signal: AbortSignal;
  /** How long requests may take to end when it is stopped, in ms; the rest is cut, resumable. */
  readonly grace: number;
  readonly logLevel: Level;
  /** What is run when a file has arrived. */
  readonly hooks?: HookOptions;
  /** Make a new database where the old one is lost, and give admin the files in homes/admin. */
  readonly adopt: boolean;
  /** Also serve a data directory where the runtime can't confine workers. */
  readonly unconfined?: boolean;
  /** A service manager's socket, as in NOTIFY_SOCKET. */
  readonly notifySocket?: string;
  /** Gives the limits as they are to be now; called for a reload. @throws {BargeError} */
  readonly readLimits?: () => Adjustable;
  /** Told the facts, and the host keys of the SFTP door; none where that is off. */
  readonly onReady: (facts: Ready, hostKeys: readonly HostKey[]) => void | Promise<void>;
  /** Is given what reads the certificate again; called once, before onReady. */
  readonly onReload?: (reload: () => Promise<void>) => void;
  /** Write the first admin's password to a file in the data directory, as no terminal shows it. */
  readonly keepPassword: boolean;
  /** Called once in the life of a data directory, with the admin that was made. */
  readonly onFirstAccount: (name: string, secret: FirstPassword) => void;
}

/**
 * Serves until the signal is aborted, and then lets what is in flight end.
 *
 * @throws {BargeError} `fatal` when the directory is another server's, lost, damaged or too new, or the
 *   address is taken, or the certificate can't be used; `usage`, also for a hook that is not there, and
 *   for a directory where workers can't be confined
 */
export async function serve(options: ServeOptions): Promise<void> {
  const { metrics, trustedProxies = [], proxyProtocol, publicUrl } = options;
  if (proxyProtocol && trustedProxies.length === 0) {
    throw new BargeError("usage", "--proxy-protocol needs --trusted-proxy: who may send headers?");
  }
  const front = { trustedProxies, proxyProtocol, publicUrl };
  const doors = doorNames.flatMap((name): DoorSpec[] => {
    const address = options.doors[name];
    if (!address) return [];
    const ftp = name.startsWith("ftp") ? { ftp: options.ftp } : {};
    return [{ name, address, tls: tlsOf(name, address.host, options), ...ftp, ...front }];
  });
  if (doors.length === 0) throw new BargeError("usage", "every door is off");
  if (metrics) {
    const tls = tlsOf("http", metrics.host, options);
    doors.push({ name: "http", address: metrics, tls, metricsOnly: true });
  }
  const secured = doors.filter(({ tls }) => tls !== "off").map(({ address }) => address.host);
  const source = certificateSource(secured, options);
  const hooks = options.hooks && new HookPrograms(options.hooks);
  configureLog(options.logLevel);
  try {
    await run(options, doors, source, hooks);
  } finally {
    flushLog();
  }
}

async function run(
  options: ServeOptions,
  wanted: readonly DoorSpec[],
  source: CertificateSource | undefined,
  hooks: HookPrograms | undefined,
): Promise<void> {
  const { durability, allowRegister, defaultLimit, maxLimit, minPassword, banAfter } = options;
  const { unconfined } = options;
  if (!unconfined) needConfinable(options.data);
  const data = prepareData(options.data);
  using held = await holdData(data);
  const { adopt } = options;
  (await openUpToDate(data, { create: true, adopt, durability }, logUpgrade))[Symbol.dispose]();
  const certificate = await source?.(data);
  noteServer(held, options, certificate);
  const { shown: hostKeys, secret } = await hostKeysOf(data, wanted);
  using store = new Store({
    data,
    durability,
    allowRegister,
    defaultLimit,
    maxLimit,
    minPassword,
    banAfter,
    registering: options.registering,
    limits: options.limits,
    rateUp: options.rateUp,
    rateDown: options.rateDown,
    proxyEndPoints: options.proxyEndPoints,
    tally: makeTally(options.workers),
    board: makeBoard(options.workers),
    derivations: makeDerivationTable(),
    history: makeHistory(),
    fences: makeFenceTable(options.workers),
    version: options.version,
  });
  keepRoom(store, data);
  const recovered = await recover(store);
  if (Object.values(recovered).some((n) => n > 0)) {
    log.info("settled what was left behind", { ...recovered });
  }
  await makeFirstAccount(store.accounts, data, options);

  const shared = options.workers > 1 || wanted.some(({ address }) => address.port === 0);
  using ports = new DisposableStack();
  const doors = wanted.map((spec): DoorSpec => {
    const { address } = ports.use(reserve(spec.address, shared));
    return { ...spec, address };
  });
  const { settings } = store;
  const { logLevel } = options;
  const manager = new Notifier(options.notifySocket);
  const onDead = (life: string) => settle(store, life);
  const supervisor = new Supervisor(
    { settings, doors, shared, logLevel, hooks, hostKeys: secret, onDead, unconfined },
    certificate,
  );
  const cleaning = setInterval(() => clean(store), expireEvery);
  const sample = () => store.history.sample(store.metrics.totals());
  sample();
  const sampling = setInterval(sample, sampleEvery);
  try {
    for (let number = 1; number <= options.workers; number++) await supervisor.start(number);
    ports.dispose();
    options.onReload?.(async () => {
      await manager.tell("RELOADING=1");
      await reload(data, source, (certificate) => {
        supervisor.reload(certificate);
        noteServer(held, options, certificate);
      });
      reloadLimits(options, supervisor);
      await manager.tell("READY=1");
    });
    const at = (name: DoorName, metricsOnly?: true) => {
      const spec = doors.find((door) => door.name === name && door.metricsOnly === metricsOnly);
      return spec ? formatAddress(spec.address) : null;
    };
    const [native, http, ftp, ftps, sftp] = doorNames.map((name) => at(name));
    const metrics = at("http", true);
    const apart = metrics === null ? {} : { metrics };
    const fingerprint = certificate?.fingerprint ?? null;
    await options.onReady({ native, http, ftp, ftps, sftp, fingerprint, ...apart }, hostKeys);
    const where = doors.map(({ address }) => formatAddress(address)).join(", ");
    await manager.tell("READY=1", `STATUS=serving at ${where}`);
    await aborted(options.signal);
    log.info("stopping; transfers have {seconds} s to end", { seconds: options.grace / 1000 });
    await manager.tell("STOPPING=1");
  } finally {
    clearInterval(cleaning);
    clearInterval(sampling);
    await supervisor.stop(options.grace);
  }
  log.info("stopped");
}

/** Writes down the facts for `barge cert`. A full disk must not keep the server from starting. */
function noteServer(held: Held, options: ServeOptions, certificate: Certificate | undefined): void {
  const shown = certificate && {
    file: options.tlsCert ?? null,
    fingerprint: certificate.fingerprint,
    names: certificate.names,
    from: certificate.from.toISOString(),
    until: certificate.until.toISOString(),
  };
  try {
    const version = options.version ?? "unknown";
    held.note({ pid: Deno.pid, version, certificate: shown ?? null });
  } catch (error) {
    log.warn("can't note which certificate is shown: {why}", { why: String(error) });
  }
}

function logUpgrade({ from, to, copy }: Upgraded): void {
  log.warn(
    "accounts.db: the tables were brought from version {from} to {to}; " +
      "as it was before, it is kept in {copy}",
    { from, to, copy },
  );
}

/** Only the SFTP door has some, and its package is loaded only for it. */
async function hostKeysOf(
  data: string,
  doors: readonly DoorSpec[],
): Promise<{ shown: readonly HostKey[]; secret: readonly string[] }> {
  if (!doors.some(({ name }) => name === "sftp")) return { shown: [], secret: [] };
  const { ownHostKeys, readPrivateKeys } = await import("../net/host_keys.ts");
  return { shown: await ownHostKeys(data), secret: await readPrivateKeys(data) };
}

/** The server also runs without it, until the disk is full. */
function keepRoom({ vault }: Store, data: string): void {
  try {
    makeRemovedFolder(vault);
    makeLogRoom(data);
  } catch (error) {
    log.warn("no room is kept for removals on a full disk: {why}", { why: String(error) });
  }
}

/** Whatever goes wrong with it: it is done again in an hour. */
function clean(store: Store): void {
  try {
    expire(store);
  } catch (error) {
    log.warn("can't drop old uploads: {why}", { why: String(error) });
  }
}

/** Never throws: the next start settles the rest. */
async function settle(store: Store, life: string): Promise<void> {
  try {
    const settled = await settleDead(store, life);
    if (Object.values(settled).some((n) => n > 0)) {
      log.info("settled what the dead worker left behind", { ...settled });
    }
  } catch (error) {
    log.error("can't settle what a dead worker left behind: {why}", { why: String(error) });
  }
}

/** Never throws: a server whose new certificate is no good goes on with the one that it has. */
async function reload(
  data: string,
  source: CertificateSource | undefined,
  show: (certificate: Certificate) => void,
): Promise<void> {
  try {
    const certificate = await source?.(data);
    if (!certificate) return log.info("there is no certificate to read again");
    show(certificate);
    const { fingerprint, until } = certificate;
    log.info("the certificate is read again: {fingerprint}, until {until}", { fingerprint, until });
  } catch (error) {
    log.error("the old certificate stays: {why}", { why: String(error) });
  }
}

/** Nor does this one: the limits that hold go on holding. */
function reloadLimits({ readLimits }: ServeOptions, supervisor: Supervisor): void {
  try {
    const limits = readLimits?.();
    if (!limits) return;
    supervisor.adjust(limits);
    log.info("the limits are read again: {limits}", { limits: byOption(limits) });
  } catch (error) {
    log.error("the old limits stay: {why}", { why: String(error) });
  }
}

/** The limits by their names in --limits and on the command line. */
function byOption(given: Adjustable): Record<string, number | null | undefined> {
  const { defaultLimit, maxLimit, minPassword, banAfter, rateUp, rateDown, limits, registering } =
    given;
  return {
    ...{ quota: defaultLimit, "max-quota": maxLimit, "min-password": minPassword },
    "ban-after": banAfter,
    ...{ "rate-up": rateUp, "rate-down": rateDown, "max-connections": limits?.connections },
    ...{
      "register-per-address": registering?.perAddress,
      "register-per-hour": registering?.perHour,
      "register-total": registering?.total,
    },
    ...{ "max-per-address": limits?.perAddress, "max-per-account": limits?.perAccount },
  };
}

async function makeFirstAccount(
  accounts: Accounts,
  data: string,
  options: ServeOptions,
): Promise<void> {
  const known = accounts.list();
  if (known.length > 0) {
    if (known.some(({ role, disabled }) => role === "admin" && !disabled)) return;
    const what =
      "none of the accounts is an admin that can log in; `barge user add NAME --admin` " +
      "makes one";
    return log.warn(what);
  }
  const password = makePassword();
  const verifier = await makeVerifier("password", password);
  const { adopt, keepPassword } = options;
  const secret = keepPassword ? { file: keepAdminPassword(data, password) } : { password };
  try {
    const [name, role] = [firstAdmin, "admin"] as const;
    accounts.add({ name, role, limit: defaultQuota(role), verifier, adopt });
  } catch (error) {
    if (keepPassword) dropAdminPassword(data, firstAdmin);
    if (!(error instanceof BargeError) || error.kind !== "exists") throw error;
    throw new BargeError("fatal", `there is no account, and ${error.message}`, {
      ...{ op: "make the account", path: firstAdmin, cause: error },
      hint: "move that folder away, or give it to the new admin with --adopt",
    });
  }
  options.onFirstAccount(firstAdmin, secret);
}

/** 20 characters of 31 that can't be mistaken for each other: 99 bits. */
function makePassword(): string {
  const letters = "abcdefghijkmnpqrstuvwxyz2345679";
  const groups = Array.from(
    { length: 4 },
    () => Array.from({ length: 5 }, () => letters[randomInt(letters.length)]).join(""),
  );
  return groups.join("-");
}

/**
 * Finds out whether an address is free, and which port 0 is. Workers that share a port could share
 * it with a stranger's server unnoticed; a plain listener can't. With several workers, or a port that
 * the system chose and could give to another program, it is then held, shared, until they listen.
 */
function reserve(wanted: Address, shared: boolean): Disposable & { readonly address: Address } {
  const { host: hostname } = wanted;
  try {
    let listener = Deno.listen({ hostname, port: wanted.port });
    const { port } = listener.addr;
    listener.close();
    let open = shared;
    if (shared) listener = Deno.listen({ hostname, port, reusePort: true });
    return {
      address: { host: hostname, port },
      [Symbol.dispose]() {
        if (open) listener.close();
        open = false;
      },
    };
  } catch (error) {
    throw typed(error, { op: "listen on", path: formatAddress(wanted) });
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
