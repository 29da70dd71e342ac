/**
 * A worker isolate: talks to strangers, and may touch nothing but its port and the data directory.
 * The supervisor starts it with the permissions that make this so, and speaks to it in messages.
 */
/// <reference lib="deno.worker" />
import { type Kind, typed } from "../error.ts";
import type { Address } from "../net/address.ts";
import type { Settings } from "../session/store.ts";
import { Store } from "../session/store.ts";
import { type Door, listenNative } from "./listen.ts";
import { configureLog } from "./log.ts";

export type ToWorker =
  | {
    readonly type: "start";
    readonly settings: Settings;
    readonly native: Address;
    readonly reusePort: boolean;
  }
  | { readonly type: "stop"; readonly grace: number };

export type FromWorker =
  | { readonly type: "listening" }
  | { readonly type: "failed"; readonly kind: Kind; readonly message: string }
  | { readonly type: "stopped" };

const scope = self as unknown as DedicatedWorkerGlobalScope;
let store: Store | undefined;
let door: Door | undefined;

scope.onmessage = async ({ data: message }: MessageEvent<ToWorker>) => {
  if (message.type === "start") start(message);
  else await stop(message.grace);
};

function start({ settings, native, reusePort }: Extract<ToWorker, { type: "start" }>): void {
  configureLog();
  try {
    store = new Store(settings);
    door = listenNative(store, native, reusePort);
    tell({ type: "listening" });
  } catch (error) {
    // A bug is thrown on by `typed`: that ends the isolate, and the supervisor is told why.
    const { kind, message } = typed(error);
    tell({ type: "failed", kind, message });
  }
}

async function stop(grace: number): Promise<void> {
  await door?.stop(grace);
  store?.[Symbol.dispose]();
  tell({ type: "stopped" });
}

function tell(message: FromWorker): void {
  scope.postMessage(message);
}
