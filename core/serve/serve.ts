/** Runs a server: prepares the data directory, starts the workers, and stops them at the end. */
import { once } from "node:events";
import { getLogger } from "@logtape/logtape";
import { type DoorName, doorNames, type DoorSpec } from "../door/door.ts";
import { typed } from "../error.ts";
import { formatAddress, socketPathOf } from "../net/address.ts";
import type { HostKey } from "../net/host_keys.ts";
import { makeDerivationTable } from "../login/derivations.ts";
import { makeTally } from "../watch/gate.ts";
import { makeHistory, sampleIntervalMs } from "../watch/history.ts";
import { makeSharedCounts } from "../watch/metrics.ts";
import type { DoorAddresses } from "../watch/nodes.ts";
import type { Certificate } from "../net/certificate.ts";
import { recordSettings, recordStart } from "./upkeep/server_records.ts";
import { challengeOf, keptCertificate, type Renewing, startRenewal } from "./acme.ts";
import { attempt } from "./attempt.ts";
import { type DoorOptions, doorSpecs, securedHosts } from "./door_specs.ts";
import type { FirstAccountOptions } from "./first_account.ts";
import type { Ground, Settled, WorkerSettings } from "./ground.ts";
import { type EventOptions, EventService, eventTargets, resolveEvents } from "./event_service.ts";
import { type HookOptions, HookPrograms } from "./hooks/hook_programs.ts";
import { configureLog, flushLog } from "./log.ts";
import type { LogLevel } from "./log_level.ts";
import { type ChangedSettings, reloader } from "./reload.ts";
import { reserveAddress } from "./listen/reserve_address.ts";
import { assignSockets, type InheritedSocket } from "./systemd/activation.ts";
import { ServiceManager } from "./systemd/service_manager.ts";
import { Supervisor } from "./supervisor.ts";
import type { Batch } from "./tracing/batch.ts";
import type { TraceOptions } from "./tracing/settings.ts";
import { type CertificateFiles, certificateSource } from "./tls_options.ts";
import { listenUnix } from "./listen/unix_socket.ts";
import { type RegularVerification, RegularVerifier } from "./upkeep/verify_regularly.ts";

const log = getLogger(["barge", "serve"]);

/** The addresses of the listening doors; null for a door that is off. */
export type Ready = { readonly [door in DoorName]: string | null } & {
  /** The address of the metrics; absent without --metrics. */
  readonly metrics?: string;
  /** The address of the listener for challenges of ACME; absent without --acme-http. */
  readonly acmeHttp?: string;
  /** The fingerprint of the certificate; null without TLS. */
  readonly fingerprint: string | null;
};

export interface ServeOptions extends DoorOptions, FirstAccountOptions {
  /** The settings without the memory that workers share. */
  readonly settings: WorkerSettings;
  /** Number of isolates that accept connections. */
  readonly workers: number;
  /** Stops the server when it is aborted. */
  readonly signal: AbortSignal;
  /** How long requests may take to end when the server stops, in ms; later ones are cut. */
  readonly grace: number;
  readonly logLevel: LogLevel;
  readonly hooks?: HookOptions;
  /** The delivery of events; undefined: the server writes none. */
  readonly events?: EventOptions;
  /** The regular verification of all files. Absent: none. */
  readonly verify?: RegularVerification;
  /** Accept a data directory to which the runtime can't confine workers. */
  readonly unconfined?: boolean;
  /** The permissions of the files of Unix sockets. */
  readonly socketMode: number;
  /** Sockets of the service manager, which the doors at their addresses use. */
  readonly inherited?: readonly InheritedSocket[];
  /** Where traces of requests are sent; absent: none are made. */
  readonly traces?: TraceOptions;
  /** A service manager's socket, as in NOTIFY_SOCKET. */
  readonly notifySocket?: string;
  /** Reads the settings again, for a reload. @throws {BargeError} for settings that are not valid */
  readonly readSettings: () => Promise<ChangedSettings>;
  /** Called when all doors listen, with their addresses and the host keys of an open SFTP door. */
  readonly onReady: (facts: Ready, hostKeys: readonly HostKey[]) => void | Promise<void>;
  /** Called once, before onReady, with a function that reads the settings and the certificate again. */
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
  const doors = assignSockets(doorSpecs(options), options.inherited ?? []);
  const hooks = options.hooks && new HookPrograms(options.hooks);
  const events = options.events && resolveEvents(options.events);
  const settings = { ...options.settings, events: events ? eventTargets(events) : [] };
  configureLog(options.logLevel);
  try {
    await run({ ...options, settings, events }, doors, hooks);
  } finally {
    flushLog();
  }
}

async function run(
  options: ServeOptions,
  specs: readonly DoorSpec[],
  hooks: HookPrograms | undefined,
): Promise<void> {
  const { workers, logLevel } = options;
  await using ground = await openGround(options);
  const { acme } = options;
  const source = (files: CertificateFiles) => {
    const read = certificateSource(securedHosts(specs), files);
    return read && (async () => (acme && await keptCertificate(ground)) ?? await read(ground));
  };
  const certificate = await source(options)?.();
  ground.writeFacts(certificate, options.tlsCert);
  const sftp = specs.some(({ name }) => name === "sftp");
  const hostKeys = sftp ? await ground.hostKeys() : { shown: [], secret: [] };
  await ground.events.configure(ground.settings.events ?? []);
  const recovered = await ground.recover();
  logSettled("settled the changes that an earlier server left unfinished", recovered);
  const anyPort = specs.some(({ address }) =>
    address.port === 0 && socketPathOf(address) === undefined
  );
  const shared = workers > 1 || anyPort;
  using ports = new DisposableStack();
  using sockets = new DisposableStack();
  const doors: DoorSpec[] = [];
  for (const spec of specs) {
    const path = socketPathOf(spec.address);
    if (spec.descriptor !== undefined) doors.push(spec);
    else if (path !== undefined) {
      const socket = sockets.use(await at(spec, () => listenUnix(path, options.socketMode)));
      doors.push({ ...spec, descriptor: socket.descriptor });
    } else {
      const { address } = ports.use(await at(spec, () => reserveAddress(spec.address, shared)));
      doors.push({ ...spec, address });
    }
  }
  // Only once the addresses are free: its password is shown once.
  await ground.makeFirstAccount(options);

  const manager = new ServiceManager(options.notifySocket);
  const settleWorker = async (startId: string) =>
    logSettled("settled the unfinished changes of a dead worker", await ground.settleDead(startId));
  const onDead = (startId: string) =>
    attempt(
      "can't settle the unfinished changes of a dead worker",
      () => settleWorker(startId),
      "error",
    );
  const traces = await openExporter(options, ground);
  const onEvents = () => events?.wake();
  const supervisor = new Supervisor(
    { ground, doors, shared, logLevel, hooks, onEvents, traces, hostKeys: hostKeys.secret, onDead },
    certificate,
  );
  const maintaining = maintainRegularly(ground);
  const sample = () => {
    ground.history.sample(ground.metrics.totals());
    ground.measureDisk?.();
  };
  const showEnd = (shown: Certificate | undefined) =>
    ground.metrics.setGauge("certificateEnd", shown?.until.getTime());
  await using enlisted = new AsyncDisposableStack();
  const excluded = Promise.withResolvers<never>();
  excluded.promise.catch(() => {}); // it may be rejected before it is awaited
  let { grace } = options;
  let events: EventService | undefined;
  let renewing: Renewing | undefined;
  let inUse = certificate;
  const applyCertificate = (shown: Certificate, { tlsCert }: CertificateFiles = {}) => {
    inUse = shown;
    supervisor.reload(shown);
    showEnd(shown);
    ground.writeFacts(shown, tlsCert);
  };
  sample();
  showEnd(certificate);
  if (certificate) ground.metrics.setGauge("certificateFailures", 0);
  const sampling = setInterval(sample, sampleIntervalMs);
  const verifying = new RegularVerifier(ground, options.signal);
  try {
    for (let number = 1; number <= workers; number++) await supervisor.start(number);
    ports.dispose();
    if (options.events) events = EventService.start(ground, options.events);
    const facts = addressesOf(doors, certificate);
    const node = await ground.enlist?.(openDoors(facts), options.signal, excluded.reject);
    if (node) enlisted.use(node);
    await verifying.change(options.verify);
    const reload = reloader({
      readSettings: options.readSettings,
      async applySettings({ limits, logLevel, verify }) {
        configureLog(logLevel);
        ground.adjust(limits);
        supervisor.adjust(limits, logLevel);
        await verifying.change(verify);
      },
      recordChanges: (changed) => recordSettings(ground, changed),
      source,
      certificate: () => inUse,
      applyCertificate,
    }, options);
    options.onReload?.(async () => {
      await manager.notify("RELOADING=1");
      await reload();
      renewing?.retry();
      await manager.notify("READY=1");
    });
    await recordStart(ground);
    await options.onReady(facts, hostKeys.shown);
    const addresses = doors.map(({ address }) => formatAddress(address)).join(", ");
    await manager.notify("READY=1", `STATUS=serving at ${addresses}`);
    if (acme) {
      const challenge = challengeOf(acme, specs);
      const shown = certificate?.fingerprint;
      renewing = await startRenewal(ground, { ...acme, challenge }, shown, applyCertificate);
    } else await attempt("can't end the renewal by ACME", () => ground.acme.remove("renewal"));
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
    const deadline = performance.now() + grace;
    const verified = verifying.change(undefined);
    await renewing?.[Symbol.asyncDispose]();
    sockets.dispose();
    await supervisor.stop(grace);
    await verified;
    await events?.stop(Math.max(0, deadline - performance.now()));
    await traces?.stop();
    await maintaining.stop();
  }
  log.info("stopped");
}

/** Listens for a door, and names the door's option in a failure. */
async function at<T>(spec: DoorSpec, listen: () => T | Promise<T>): Promise<T> {
  try {
    return await listen();
  } catch (error) {
    const { kind } = typed(error);
    const address = formatAddress(spec.address);
    const isLowPort = socketPathOf(spec.address) === undefined && spec.address.port < 1024;
    const hint = kind === "denied" && isLowPort
      ? `--${optionOf(spec)} is ${address}: ports below 1024 need root, or CAP_NET_BIND_SERVICE`
      : `--${optionOf(spec)} is ${address}: give another address, or \`off\``;
    throw typed(error).with({ hint });
  }
}

/** Returns the name of the option that gives a door its address. */
function optionOf({ name, metricsOnly, challengesOnly }: DoorSpec): string {
  return metricsOnly ? "metrics" : challengesOnly ? "acme-http" : name;
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

/** Opens the exporter of traces, if there is a collector; only then its code is loaded. */
async function openExporter({ traces }: ServeOptions, { metrics }: Pick<Ground, "metrics">) {
  if (!traces) return undefined;
  const { SpanExporter } = await import("./tracing/exporter.ts");
  const exporter = new SpanExporter(traces, ({ exported, dropped }) => {
    metrics.setGauge("spansExported", exported);
    metrics.setGauge("spansDropped", dropped);
  });
  return {
    sampling: traces.sampling,
    add: (batch: Batch) => exporter.add(batch),
    stop: () => exporter.stop(),
  };
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

const settledTexts: Readonly<Record<keyof Settled, string>> = {
  changes: "moves and removals",
  settled: "finished uploads",
  resumable: "resumable uploads",
  dropped: "deleted leftovers",
};

/** Logs the number of settled changes of each kind, unless there were no changes. */
function logSettled(message: string, counts: Settled): void {
  const kinds = Object.keys(settledTexts) as (keyof Settled)[];
  const parts = kinds.filter((kind) => counts[kind])
    .map((kind) => `${settledTexts[kind]}: ${counts[kind]}`);
  if (parts.length > 0) log.info(`${message} (${parts.join(", ")})`, { ...counts });
}

function addressesOf(doors: readonly DoorSpec[], certificate: Certificate | undefined): Ready {
  const find = (name: DoorName, only?: "metricsOnly" | "challengesOnly") => {
    const spec = doors.find((door) =>
      door.name === name && door.metricsOnly === (only === "metricsOnly" || undefined) &&
      door.challengesOnly === (only === "challengesOnly" || undefined)
    );
    return spec ? formatAddress(spec.address) : undefined;
  };
  const [native, http, ftp, ftps, sftp] = doorNames.map((name) => find(name) ?? null);
  const metrics = find("http", "metricsOnly");
  const acmeHttp = find("http", "challengesOnly");
  const fingerprint = certificate?.fingerprint ?? null;
  return {
    native,
    http,
    ftp,
    ftps,
    sftp,
    fingerprint,
    ...(metrics !== undefined && { metrics }),
    ...(acmeHttp !== undefined && { acmeHttp }),
  };
}

/** Returns the addresses of the doors that are open. */
function openDoors(facts: Ready): DoorAddresses {
  const open = doorNames.map((door) => [door, facts[door]]).filter(([, address]) => address);
  return Object.fromEntries(open);
}
