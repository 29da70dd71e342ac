/**
 * A worker isolate: talks to strangers, and may touch nothing but its ports, users' files and the
 * database. The supervisor starts it with the permissions that make this so, and speaks to it in
 * messages.
 */
/// <reference lib="deno.worker" />
import "./cage.ts";
import { getLogger } from "@logtape/logtape";
import type { Door, DoorSpec } from "../door/door.ts";
import { typed } from "../error.ts";
import { formatAddress } from "../net/address.ts";
import type { KeyPair } from "../net/certificate.ts";
import { shareDerivations } from "../login/password.ts";
import type { Settings } from "../local/store.ts";
import type { Adjustable } from "../watch/settings.ts";
import { Store } from "../local/store.ts";
import { Desk } from "./desk.ts";
import { loadDoor } from "./doors.ts";
import type { FromWorker } from "./from_worker.ts";
import { type Gathering, WorkerGatherer } from "./gather.ts";
import type { Offered, ToDesk } from "./hooks.ts";
import { configureLog, flushLog } from "./log.ts";
import type { Level } from "./levels.ts";

export type ToWorker =
  | {
    readonly type: "start";
    /** Which one this is, from 1. */
    readonly number: number;
    /** The unique name of this start. */
    readonly life: string;
    readonly settings: Settings;
    readonly doors: readonly DoorSpec[];
    readonly reusePort: boolean;
    /** For all doors that have it. */
    readonly tls: KeyPair | undefined;
    /** The private keys of the SFTP door, in OpenSSH's format. */
    readonly hostKeys: readonly string[];
    readonly logLevel: Level;
    readonly hooks: Offered;
  }
  | ToDesk
  | { readonly type: "reload"; readonly tls: KeyPair }
  | { readonly type: "adjust"; readonly limits: Adjustable }
  | Gathering
  | { readonly type: "stop"; readonly grace: number };

const log = getLogger(["barge", "serve"]);
const scope = self as unknown as DedicatedWorkerGlobalScope;
let store: Store | undefined;
let desk: Desk | undefined;
const open: Door[] = [];
let starting: Promise<void> | undefined;
const gatherer = new WorkerGatherer(tell, () => store?.roster.here() ?? []);

// What ends this isolate takes what it had to tell with it, else.
scope.addEventListener("error", flushLog);
scope.addEventListener("unhandledrejection", flushLog);

scope.onmessage = async ({ data: message }: MessageEvent<ToWorker>) => {
  if (message.type === "start") await (starting = start(message));
  else if (message.type === "checked") desk?.answered(message);
  else if (message.type === "reload") await reload(message.tls);
  else if (message.type === "adjust") await adjust(message.limits);
  else if (message.type === "stop") await stop(message.grace);
  else gatherer.take(message);
};

async function start(
  message: Extract<ToWorker, { type: "start" }>,
): Promise<void> {
  const { number, life, settings, doors, hooks } = message;
  configureLog(message.logLevel);
  try {
    desk = new Desk(hooks, tell);
    store = new Store(settings, number - 1, desk.hooks, life);
    shareDerivations(number - 1, settings.derivations);
    store.metrics.count("starts");
    store.roster.others = () => gatherer.others();
    for (const spec of doors) open.push(await openDoor(store, spec, message));
    tell({ type: "listening" });
  } catch (error) {
    // A bug is thrown on by `typed`: that ends the isolate, and the supervisor is told why.
    const { kind, message, op, path } = typed(error);
    tell({ type: "failed", error: { kind, message: message.slice(0, 10_000), op, path } });
  }
}

async function openDoor(
  store: Store,
  spec: DoorSpec,
  { reusePort, tls, hostKeys }: Extract<ToWorker, { type: "start" }>,
): Promise<Door> {
  try {
    const openDoor = await loadDoor(spec.name);
    const secured = spec.tls === "off" ? undefined : tls;
    return await openDoor({ store, spec, reusePort, tls: secured, hostKeys });
  } catch (error) {
    throw typed(error, { op: "listen on", path: formatAddress(spec.address) });
  }
}

/** One door that can't show the new certificate keeps the others from nothing. */
async function reload(tls: KeyPair): Promise<void> {
  await starting;
  for (const door of open) {
    try {
      await door.reload?.(tls);
    } catch (error) {
      const at = formatAddress(door.address);
      log.error("{at} shows the old certificate on: {why}", { at, why: `${typed(error)}` });
    }
  }
}

async function adjust(limits: Adjustable): Promise<void> {
  await starting;
  store?.adjust(limits);
}

async function stop(grace: number): Promise<void> {
  await starting;
  await Promise.all(open.map((door) => door.stop(grace)));
  gatherer.stop();
  store?.[Symbol.dispose]();
  flushLog();
  tell({ type: "stopped" });
}

function tell(message: FromWorker): void {
  scope.postMessage(message);
}
