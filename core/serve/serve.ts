/** Runs a server: prepares the data directory, starts the workers, and stops them at the end. */
import { once } from "node:events";
import { getLogger } from "@logtape/logtape";
import { makeLogRoom } from "../local/database/log_room.ts";
import type { Upgraded } from "../local/upgrade.ts";
import { type DoorName, doorNames, type DoorSpec, type FtpSpec } from "../door/door.ts";
import { BargeError } from "../error.ts";
import { type Address, formatAddress } from "../net/address.ts";
import type { HostKey } from "../net/host_keys.ts";
import { makeDerivationTable } from "../login/derivations.ts";
import { makeTally } from "../watch/gate.ts";
import { makeHistory, sampleIntervalMs } from "../watch/history.ts";
import { makeBoard } from "../watch/metrics.ts";
import { expire, recover, type Recovered } from "../repair/recover.ts";
import { makeRemovedFolder } from "../local/remove_account.ts";
import { settleDead } from "../repair/settle_dead.ts";
import { type Settings, Store } from "../local/store.ts";
import type { Adjustable } from "../watch/settings.ts";
import { makeFenceTable } from "../local/vault/fences.ts";
import type { Certificate } from "../net/certificate.ts";
import { requireConfinable } from "./confinement.ts";
import { refuseMarked } from "../migrate/marker.ts";
import { type DataLock, lockData, openUpToDate, prepareData } from "./data.ts";
import { type FirstAccountOptions, makeFirstAccount } from "./first_account.ts";
import { type HookOptions, HookPrograms } from "./hook_programs.ts";
import { configureLog, flushLog } from "./log.ts";
import type { LogLevel } from "./log_level.ts";
import { reserveAddress } from "./reserve_address.ts";
import { ServiceManager } from "./service_manager.ts";
import {
  type CertificateSource,
  certificateSource,
  tlsOf,
  type TlsOptions,
} from "./tls_options.ts";
import { Supervisor } from "./supervisor.ts";

const log = getLogger(["barge", "serve"]);
const expireIntervalMs = 3600 * 1000;

/** The addresses of the listening doors; null for a door that is off. */
export type Ready = { readonly [door in DoorName]: string | null } & {
  /** Only with --metrics. */
  readonly metrics?: string;
  /** The fingerprint of the certificate; null without TLS. */
  readonly fingerprint: string | null;
};

export interface ServeOptions extends TlsOptions, FirstAccountOptions {
  /** The settings without the memory that workers share. */
  readonly settings: Settings;
  /** The address of each door; null for a door that is off. */
  readonly doors: { readonly [door in DoorName]: Address | null };
  readonly ftp: FtpSpec;
  /** An address that serves the metrics for Prometheus without a login; null: none. */
  readonly metrics?: Address | null;
  /** Proxies in front of the doors, and the URL of the HTTP door behind them. */
  readonly trustedProxies?: readonly string[];
  readonly proxyProtocol?: boolean;
  readonly publicUrl?: string;
  /** Number of isolates that accept connections. */
  readonly workers: number;
  /** Stops the server. */
  readonly signal: AbortSignal;
  /** How long requests may take to end when the server stops, in ms; later ones are cut. */
  readonly grace: number;
  readonly logLevel: LogLevel;
  readonly hooks?: HookOptions;
  /** Accept a data directory to which the runtime can't confine workers. */
  readonly unconfined?: boolean;
  /** A service manager's socket, as in NOTIFY_SOCKET. */
  readonly notifySocket?: string;
  /** Returns the current limits; called for a reload. @throws {BargeError} */
  readonly readLimits?: () => Adjustable;
  /** Gets the addresses, and the host keys of an open SFTP door. */
  readonly onReady: (facts: Ready, hostKeys: readonly HostKey[]) => void | Promise<void>;
  /** Gets a function that reads certificate and limits again; called once, before onReady. */
  readonly onReload?: (reload: () => Promise<void>) => void;
}

/**
 * Serves until the signal is aborted, and then waits for the requests under way.
 *
 * @throws {BargeError} `fatal` when the directory is in use, lost, damaged or too new, the address is
 *   taken, or the certificate can't be used; `usage` for bad options, a missing hook program, and a
 *   directory to which workers can't be confined
 */
export async function serve(options: ServeOptions): Promise<void> {
  const { metrics, trustedProxies = [], proxyProtocol, publicUrl } = options;
  if (proxyProtocol && trustedProxies.length === 0) {
    const why = "--proxy-protocol needs --trusted-proxy, the addresses that may send headers";
    throw new BargeError("usage", why);
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
  specs: readonly DoorSpec[],
  source: CertificateSource | undefined,
  hooks: HookPrograms | undefined,
): Promise<void> {
  const { adopt, unconfined, workers, logLevel } = options;
  const { durability } = options.settings;
  if (!unconfined) requireConfinable(options.settings.data);
  const data = prepareData(options.settings.data);
  using lock = await lockData(data);
  refuseMarked(data);
  (await openUpToDate(data, { create: true, adopt, durability }, logUpgrade))[Symbol.dispose]();
  const certificate = await source?.(data);
  writeFacts(lock, options, certificate);
  const hostKeys = await loadHostKeys(data, specs);
  const settings: Settings = {
    ...options.settings,
    data,
    tally: makeTally(workers),
    board: makeBoard(workers),
    derivations: makeDerivationTable(),
    history: makeHistory(),
    fences: makeFenceTable(workers),
  };
  using store = new Store(settings);
  await attempt("can't reserve space for removals on a full disk", () => {
    makeRemovedFolder(store.vault);
    makeLogRoom(data);
  });
  logSettled("settled the changes that an earlier server left unfinished", await recover(store));
  await makeFirstAccount(store.accounts, data, options);

  const shared = workers > 1 || specs.some(({ address }) => address.port === 0);
  using ports = new DisposableStack();
  const doors = specs.map((spec): DoorSpec => {
    const { address } = ports.use(reserveAddress(spec.address, shared));
    return { ...spec, address };
  });
  const manager = new ServiceManager(options.notifySocket);
  const settleWorker = async (life: string) =>
    logSettled("settled the unfinished changes of a dead worker", await settleDead(store, life));
  const onDead = (life: string) =>
    attempt(
      "can't settle the unfinished changes of a dead worker",
      () => settleWorker(life),
      "error",
    );
  const supervisor = new Supervisor(
    { settings, doors, shared, logLevel, hooks, hostKeys: hostKeys.secret, onDead, unconfined },
    certificate,
  );
  const expiring = setInterval(
    () => void attempt("can't drop old uploads", () => expire(store)),
    expireIntervalMs,
  );
  const sample = () => store.history.sample(store.metrics.totals());
  sample();
  const sampling = setInterval(sample, sampleIntervalMs);
  try {
    for (let number = 1; number <= workers; number++) await supervisor.start(number);
    ports.dispose();
    options.onReload?.(async () => {
      await manager.notify("RELOADING=1");
      const apply = (certificate: Certificate) => {
        supervisor.reload(certificate);
        writeFacts(lock, options, certificate);
      };
      await attempt("the old certificate stays", () => reload(data, source, apply), "error");
      await attempt("the old limits stay", () => reloadLimits(options, supervisor), "error");
      await manager.notify("READY=1");
    });
    await options.onReady(addressesOf(doors, certificate), hostKeys.shown);
    const addresses = doors.map(({ address }) => formatAddress(address)).join(", ");
    await manager.notify("READY=1", `STATUS=serving at ${addresses}`);
    if (!options.signal.aborted) await once(options.signal, "abort");
    log.info("stopping; transfers have {seconds} s to end", { seconds: options.grace / 1000 });
    await manager.notify("STOPPING=1");
  } finally {
    clearInterval(expiring);
    clearInterval(sampling);
    await supervisor.stop(options.grace);
  }
  log.info("stopped");
}

/** Runs work that the server can do without, and logs its failure. */
async function attempt(
  failure: string,
  work: () => unknown,
  level: "warn" | "error" = "warn",
): Promise<void> {
  try {
    await work();
  } catch (error) {
    log[level](`${failure}: {why}`, { why: String(error) });
  }
}

function logSettled(message: string, counts: Recovered): void {
  if (Object.values(counts).some((n) => n > 0)) log.info(message, { ...counts });
}

function addressesOf(doors: readonly DoorSpec[], certificate: Certificate | undefined): Ready {
  const addressOf = (name: DoorName, metricsOnly?: true) => {
    const spec = doors.find((door) => door.name === name && door.metricsOnly === metricsOnly);
    return spec ? formatAddress(spec.address) : null;
  };
  const [native, http, ftp, ftps, sftp] = doorNames.map((name) => addressOf(name));
  const ready = { native, http, ftp, ftps, sftp, fingerprint: certificate?.fingerprint ?? null };
  const metrics = addressOf("http", true);
  return metrics === null ? ready : { ...ready, metrics };
}

/** Writes the facts for `barge cert`. */
function writeFacts(
  lock: DataLock,
  options: ServeOptions,
  certificate: Certificate | undefined,
): void {
  const facts = certificate && {
    file: options.tlsCert ?? null,
    fingerprint: certificate.fingerprint,
    names: certificate.names,
    from: certificate.from.toISOString(),
    until: certificate.until.toISOString(),
  };
  const { version = "unknown" } = options.settings;
  void attempt("can't write the certificate's facts for `barge cert`", () => {
    lock.writeFacts({ pid: Deno.pid, version, certificate: facts ?? null });
  });
}

function logUpgrade({ from, to, copy }: Upgraded): void {
  log.warn(
    "accounts.db: the tables were upgraded from version {from} to {to}; " +
      "the old database was copied to {copy}",
    { from, to, copy },
  );
}

/** Loads the host keys, and their package, only for an SFTP door. */
async function loadHostKeys(
  data: string,
  doors: readonly DoorSpec[],
): Promise<{ shown: readonly HostKey[]; secret: readonly string[] }> {
  if (!doors.some(({ name }) => name === "sftp")) return { shown: [], secret: [] };
  const { ownHostKeys, readPrivateKeys } = await import("../net/host_keys.ts");
  return { shown: await ownHostKeys(data), secret: await readPrivateKeys(data) };
}

async function reload(
  data: string,
  source: CertificateSource | undefined,
  apply: (certificate: Certificate) => void,
): Promise<void> {
  const certificate = await source?.(data);
  if (!certificate) return log.info("no certificate to reload: no door has TLS");
  apply(certificate);
  const { fingerprint, until } = certificate;
  log.info("the certificate was reloaded: {fingerprint}, until {until}", { fingerprint, until });
}

function reloadLimits({ readLimits }: ServeOptions, supervisor: Supervisor): void {
  const limits = readLimits?.();
  if (!limits) return;
  supervisor.adjust(limits);
  log.info("the limits were reloaded: {limits}", { limits: byOption(limits) });
}

/** Returns the limits by their names in --limits and on the command line. */
function byOption(adjustable: Adjustable): Record<string, number | null | undefined> {
  const { limits, registering } = adjustable;
  return {
    "quota": adjustable.defaultLimit,
    "max-quota": adjustable.maxLimit,
    "min-password": adjustable.minPassword,
    "ban-after": adjustable.banAfter,
    "rate-up": adjustable.rateUp,
    "rate-down": adjustable.rateDown,
    "max-connections": limits?.connections,
    "max-per-address": limits?.perAddress,
    "max-per-account": limits?.perAccount,
    "register-per-address": registering?.perAddress,
    "register-per-hour": registering?.perHour,
    "register-total": registering?.total,
  };
}
