/**
 * A worker isolate: talks to strangers, and may touch nothing but its port and the data directory.
 * The supervisor starts it with the permissions that make this so, and speaks to it in messages.
 */
/// <reference lib="deno.worker" />
import { type Kind, typed } from "../error.ts";
import type { Address } from "../net/address.ts";
import type { KeyPair } from "../net/certificate.ts";
import type { Adjustable, Settings } from "../session/store.ts";
import { Store } from "../session/store.ts";
import { type Gathering, WorkerGatherer } from "./gather.ts";
import { type Door, listenNative, listenNativeTls } from "./listen.ts";
import { configureLog, flushLog } from "./log.ts";
import type { Level } from "./levels.ts";

export type ToWorker =
  | {
    readonly type: "start";
    /** Which one this is, from 1. */
    readonly number: number;
    readonly settings: Settings;
    readonly native: Address;
    readonly reusePort: boolean;
    readonly tls: KeyPair | undefined;
    readonly logLevel: Level;
  }
  | { readonly type: "reload"; readonly tls: KeyPair }
  | { readonly type: "adjust"; readonly limits: Adjustable }
  | Gathering
  | { readonly type: "stop"; readonly grace: number };

export type FromWorker =
  | { readonly type: "listening" }
  | { readonly type: "failed"; readonly kind: Kind; readonly message: string }
  | Gathering
  | { readonly type: "stopped" };

const scope = self as unknown as DedicatedWorkerGlobalScope;
let store: Store | undefined;
let door: Door | undefined;
let starting: Promise<void> | undefined;
const gatherer = new WorkerGatherer(tell, () => store?.roster.here() ?? []);

// What ends this isolate takes what it had to tell with it, else.
scope.addEventListener("error", flushLog);
scope.addEventListener("unhandledrejection", flushLog);

scope.onmessage = async ({ data: message }: MessageEvent<ToWorker>) => {
  if (message.type === "start") await (starting = start(message));
  else if (message.type === "reload") await reload(message.tls);
  else if (message.type === "adjust") await adjust(message.limits);
  else if (message.type === "stop") await stop(message.grace);
  else gatherer.take(message);
};

async function start(
  { number, settings, native, reusePort, tls, logLevel }: Extract<ToWorker, { type: "start" }>,
): Promise<void> {
  configureLog(logLevel);
  try {
    store = new Store(settings, number - 1);
    store.metrics.count("starts");
    store.roster.others = () => gatherer.others();
    door = tls
      ? await listenNativeTls(store, native, reusePort, tls)
      : listenNative(store, native, reusePort);
    tell({ type: "listening" });
  } catch (error) {
    // A bug is thrown on by `typed`: that ends the isolate, and the supervisor is told why.
    const { kind, message } = typed(error);
    tell({ type: "failed", kind, message });
  }
}

async function reload(tls: KeyPair): Promise<void> {
  await starting;
  door?.reload?.(tls);
}

async function adjust(limits: Adjustable): Promise<void> {
  await starting;
  store?.adjust(limits);
}

async function stop(grace: number): Promise<void> {
  await starting;
  await door?.stop(grace);
  gatherer.stop();
  store?.[Symbol.dispose]();
  flushLog();
  tell({ type: "stopped" });
}

function tell(message: FromWorker): void {
  scope.postMessage(message);
}
