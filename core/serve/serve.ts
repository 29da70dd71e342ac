/** Runs a server: prepares the data directory, starts the workers, and stops them at the end. */
import { once } from "node:events";
import { getLogger } from "@logtape/logtape";
import { type DoorName, doorNames, type DoorSpec, type FtpSpec } from "../door/door.ts";
import { BargeError } from "../error.ts";
import { type Address, formatAddress } from "../net/address.ts";
import type { HostKey } from "../net/host_keys.ts";
import { makeDerivationTable } from "../login/derivations.ts";
import { makeTally } from "../watch/gate.ts";
import { makeHistory, sampleIntervalMs } from "../watch/history.ts";
import { makeSharedCounts } from "../watch/metrics.ts";
import type { DoorAddresses } from "../watch/nodes.ts";
import type { Adjustable } from "../watch/settings.ts";
import type { Certificate } from "../net/certificate.ts";
import { attempt } from "./attempt.ts";
import type { FirstAccountOptions } from "./first_account.ts";
import type { Ground, Settled, WorkerSettings } from "./ground.ts";
import { type HookOptions, HookPrograms } from "./hook_programs.ts";
import { configureLog, flushLog } from "./log.ts";
import type { LogLevel } from "./log_level.ts";
import { reserveAddress } from "./reserve_address.ts";
import { ServiceManager } from "./systemd/service_manager.ts";
import {
  type CertificateSource,
  certificateSource,
  tlsOf,
  type TlsOptions,
} from "./tls_options.ts";
import { Supervisor } from "./supervisor.ts";

const log = getLogger(["barge", "serve"]);

/** The addresses of the listening doors; null for a door that is off. */
export type Ready = { readonly [door in DoorName]: string | null } & {
  /** The address of the metrics; absent without --metrics. */
  readonly metrics?: string;
  /** The fingerprint of the certificate; null without TLS. */
  readonly fingerprint: string | null;
};

export interface ServeOptions extends TlsOptions, FirstAccountOptions {
  /** The settings without the memory that workers share. */
  readonly settings: WorkerSettings;
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
  /** Stops the server when it is aborted. */
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
  /** Called when all doors listen, with their addresses and the host keys of an open SFTP door. */
  readonly onReady: (facts: Ready, hostKeys: readonly HostKey[]) => void | Promise<void>;
  /** Called once, before onReady, with a function that reads the certificate and the limits again. */
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
  const { workers, logLevel } = options;
  await using ground = await openGround(options);
  const certificate = await source?.(ground);
  ground.writeFacts(certificate, options.tlsCert);
  const sftp = specs.some(({ name }) => name === "sftp");
  const hostKeys = sftp ? await ground.hostKeys() : { shown: [], secret: [] };
  const recovered = await ground.recover();
  logSettled("settled the changes that an earlier server left unfinished", recovered);
  await ground.makeFirstAccount(options);

  const shared = workers > 1 || specs.some(({ address }) => address.port === 0);
  using ports = new DisposableStack();
  const doors = specs.map((spec): DoorSpec => {
    const { address } = ports.use(reserveAddress(spec.address, shared));
    return { ...spec, address };
  });
  const manager = new ServiceManager(options.notifySocket);
  const settleWorker = async (startId: string) =>
    logSettled("settled the unfinished changes of a dead worker", await ground.settleDead(startId));
  const onDead = (startId: string) =>
    attempt(
      "can't settle the unfinished changes of a dead worker",
      () => settleWorker(startId),
      "error",
    );
  const supervisor = new Supervisor(
    { ground, doors, shared, logLevel, hooks, hostKeys: hostKeys.secret, onDead },
    certificate,
  );
  const maintaining = maintainRegularly(ground);
  const sample = () => ground.history.sample(ground.metrics.totals());
  await using enlisted = new AsyncDisposableStack();
  const excluded = Promise.withResolvers<never>();
  let { grace } = options;
  sample();
  const sampling = setInterval(sample, sampleIntervalMs);
  try {
    for (let number = 1; number <= workers; number++) await supervisor.start(number);
    ports.dispose();
    const facts = addressesOf(doors, certificate);
    const node = await ground.enlist?.(openDoors(facts), options.signal, excluded.reject);
    if (node) enlisted.use(node);
    options.onReload?.(async () => {
      await manager.notify("RELOADING=1");
      const apply = (certificate: Certificate) => {
        supervisor.reload(certificate);
        ground.writeFacts(certificate, options.tlsCert);
      };
      await attempt("the old certificate stays", () => reload(ground, source, apply), "error");
      await attempt("the old limits stay", () => reloadLimits(options, supervisor), "error");
      await manager.notify("READY=1");
    });
    await options.onReady(facts, hostKeys.shown);
    const addresses = doors.map(({ address }) => formatAddress(address)).join(", ");
    await manager.notify("READY=1", `STATUS=serving at ${addresses}`);
    if (!options.signal.aborted) {
      await Promise.race([once(options.signal, "abort"), excluded.promise]);
    }
    log.info("stopping; transfers have {seconds} s to end", { seconds: grace / 1000 });
    await manager.notify("STOPPING=1");
  } catch (error) {
    grace = 0;
    throw error;
  } finally {
    clearInterval(sampling);
    await supervisor.stop(grace);
    await maintaining.stop();
  }
  log.info("stopped");
}

/** Opens the kind of storage that the settings name; only its code is loaded. */
async function openGround(options: ServeOptions): Promise<Ground> {
  const { settings, workers } = options;
  const tables = {
    tally: makeTally(workers),
    sharedCounts: makeSharedCounts(workers),
    derivations: makeDerivationTable(),
    history: makeHistory(),
  };
  if ("shared" in settings) {
    const { SharedGround } = await import("./shared_ground.ts");
    return await SharedGround.open({ ...settings, ...tables });
  }
  const { LocalGround } = await import("./local_ground.ts");
  return await LocalGround.open({ ...options, settings: { ...settings, ...tables } });
}

/** Calls {@link Ground.maintain} at intervals. @returns `stop` ends the calls and waits for the last one */
function maintainRegularly(ground: Ground): { readonly stop: () => Promise<void> } {
  const stopped = new AbortController();
  let running: Promise<void> | undefined;
  const timer = setInterval(() => {
    running ??= ground.maintain(stopped.signal).finally(() => running = undefined);
  }, ground.maintenanceMs);
  return {
    async stop() {
      clearInterval(timer);
      stopped.abort();
      await running;
    },
  };
}

function logSettled(message: string, counts: Settled): void {
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

/** Returns the addresses of the doors that are open. */
function openDoors(facts: Ready): DoorAddresses {
  const open = doorNames.map((door) => [door, facts[door]]).filter(([, address]) => address);
  return Object.fromEntries(open);
}

async function reload(
  ground: Ground,
  source: CertificateSource | undefined,
  apply: (certificate: Certificate) => void,
): Promise<void> {
  const certificate = await source?.(ground);
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
