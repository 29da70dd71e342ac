/**
 * A worker isolate, which serves clients. The supervisor starts it with permissions for its ports,
 * users' files and the database only, and exchanges messages with it.
 */
/// <reference lib="deno.worker" />
import "./removed_globals.ts";
import { getLogger } from "@logtape/logtape";
import type { Door, DoorName, DoorSpec, OpenDoor } from "../door/door.ts";
import { typed } from "../error.ts";
import { formatAddress } from "../net/address.ts";
import type { KeyPair } from "../net/certificate.ts";
import { listenDescriptor } from "../net/descriptor/listen.ts";
import { shareDerivations } from "../login/password.ts";
import type { Service } from "../login/service.ts";
import type { Store } from "../local/store.ts";
import type { SharedStore } from "../shared/store.ts";
import type { WorkerSettings } from "./ground.ts";
import type { Adjustable } from "../watch/settings.ts";
import type { FromWorker } from "./from_worker.ts";
import { HookClient, type HookReply, type OfferedHooks } from "./hooks/hook_client.ts";
import { configureLog, flushLog } from "./log.ts";
import type { LogLevel } from "./log_level.ts";
import { RosterClient, type RosterMessage } from "./roster_query.ts";
import type { Sampling } from "./tracing/span.ts";
import type { Tracer } from "./tracing/tracer.ts";

/** A message from the supervisor to a worker. */
export type ToWorker =
  | {
    readonly type: "start";
    /** The worker's number, from 1. */
    readonly number: number;
    /** The unique name of this start. */
    readonly startId: string;
    readonly settings: WorkerSettings;
    readonly doors: readonly DoorSpec[];
    readonly reusePort: boolean;
    /** The certificate and key of all doors with TLS. */
    readonly tls: KeyPair | undefined;
    /** The private keys of the SFTP door, in OpenSSH's format. */
    readonly hostKeys: readonly string[];
    readonly logLevel: LogLevel;
    readonly hooks: OfferedHooks;
    /** Which requests are traced; absent where none is. */
    readonly sampling?: Sampling;
  }
  | HookReply
  /** The supervisor has taken the last batch of spans. */
  | { readonly type: "spans-taken" }
  | { readonly type: "reload"; readonly tls: KeyPair }
  | { readonly type: "adjust"; readonly limits: Adjustable; readonly logLevel: LogLevel }
  | RosterMessage
  | { readonly type: "stop"; readonly grace: number };

/** The modules of the doors. Only the modules of open doors are loaded. */
const doorModules: Record<DoorName, () => Promise<{ readonly openDoor: OpenDoor }>> = {
  native: () => import("../door/native/listen.ts"),
  http: () => import("../door/http/listen.ts"),
  ftp: () => import("../door/ftp/listen.ts"),
  ftps: () => import("../door/ftp/listen.ts"),
  sftp: () => import("../door/sftp/listen.ts"),
};

type Start = Extract<ToWorker, { type: "start" }>;

const log = getLogger(["barge", "serve"]);
const scope = self as unknown as DedicatedWorkerGlobalScope;
let store: Store | SharedStore | undefined;
let hookClient: HookClient | undefined;
let tracer: Tracer | undefined;
const openDoors: Door[] = [];
let starting: Promise<void> | undefined;
const rosterClient = new RosterClient(post, () => store?.roster.here() ?? []);

// Buffered log lines die with the isolate.
scope.addEventListener("error", flushLog);
scope.addEventListener("unhandledrejection", flushLog);

scope.onmessage = async ({ data: message }: MessageEvent<ToWorker>) => {
  if (message.type === "start") await (starting = start(message));
  else if (message.type === "checked") hookClient?.receive(message);
  else if (message.type === "reload") await reload(message.tls);
  else if (message.type === "adjust") await adjust(message);
  else if (message.type === "spans-taken") tracer?.taken();
  else if (message.type === "stop") await stop(message.grace);
  else rosterClient.receive(message);
};

async function start(message: Start): Promise<void> {
  const { number, startId, settings, doors, hooks } = message;
  configureLog(message.logLevel);
  const unused = new Set(doors);
  try {
    hookClient = new HookClient(hooks, post);
    store = await openStore(settings, number - 1, hookClient, startId);
    shareDerivations(number - 1, settings.derivations);
    store.metrics.count("starts");
    store.roster.others = () => rosterClient.others();
    if (message.sampling) tracer = await trace(store, message.sampling);
    for (const spec of doors) {
      unused.delete(spec);
      openDoors.push(await openDoor(store, spec, message));
    }
    post({ type: "listening" });
  } catch (error) {
    for (const { descriptor } of unused) {
      if (descriptor !== undefined) listenDescriptor(descriptor).close();
    }
    // `typed` rethrows a bug, which ends the isolate; the supervisor logs it.
    const { kind, message, op, path } = typed(error);
    post({ type: "failed", error: { kind, message: message.slice(0, 10_000), op, path } });
  }
}

/** Traces the requests of this worker. Without traces the code is not loaded. */
async function trace(store: Service, sampling: Sampling): Promise<Tracer> {
  const [{ Tracer }, { traceService }, { traceRequests }] = await Promise.all([
    import("./tracing/tracer.ts"),
    import("./tracing/traced_service.ts"),
    import("../watch/tracing.ts"),
  ]);
  const tracer = new Tracer(sampling, (batch) => post({ type: "spans", ...batch }));
  traceService(store, tracer);
  traceRequests(tracer);
  return tracer;
}

/** Opens the kind of storage that the settings name. Only the code of that kind is loaded. */
async function openStore(
  settings: WorkerSettings,
  worker: number,
  { hooks }: HookClient,
  startId: string,
): Promise<Store | SharedStore> {
  if ("shared" in settings) {
    const { SharedStore } = await import("../shared/store.ts");
    const store = new SharedStore(settings, worker, hooks, startId);
    await store.serve();
    return store;
  }
  const { Store } = await import("../local/store.ts");
  return new Store(settings, worker, hooks, startId);
}

async function openDoor(
  store: Service,
  spec: DoorSpec,
  { reusePort, tls, hostKeys }: Start,
): Promise<Door> {
  try {
    const { openDoor } = await doorModules[spec.name]();
    const doorTls = spec.tls === "off" ? undefined : tls;
    return await openDoor({ store, spec, reusePort, tls: doorTls, hostKeys });
  } catch (error) {
    throw typed(error, { op: "listen on", path: formatAddress(spec.address) });
  }
}

/** Loads a new certificate. One door's failure does not stop the others. */
async function reload(tls: KeyPair): Promise<void> {
  await starting;
  for (const door of openDoors) {
    try {
      await door.reload?.(tls);
    } catch (error) {
      const at = formatAddress(door.address);
      log.error("{at} still serves the old certificate: {why}", { at, why: `${typed(error)}` });
    }
  }
}

/** Applies other limits, and another log level. */
async function adjust({ limits, logLevel }: Extract<ToWorker, { type: "adjust" }>): Promise<void> {
  await starting;
  flushLog();
  configureLog(logLevel);
  store?.adjust(limits);
}

async function stop(grace: number): Promise<void> {
  await starting;
  await Promise.all(openDoors.map((door) => door.stop(grace)));
  rosterClient.stop();
  tracer?.stop();
  if (store && "storage" in store) await store[Symbol.asyncDispose]();
  else store?.[Symbol.dispose]();
  flushLog();
  post({ type: "stopped" });
}

function post(message: FromWorker): void {
  scope.postMessage(message);
}
