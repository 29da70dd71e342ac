/** Waits until something listens: `barge demo event --wait-for HOST:PORT`. */
import { BargeError } from "../error.ts";
import { type Address, formatAddress } from "../net/address.ts";
import { dial } from "../net/dial.ts";
import { Event } from "../sync/mod.ts";
import type { Verdict } from "./events.ts";
import type { Scene, Stage } from "./stage.ts";

/** Between two attempts to connect; how long one may take; how often it says that it waits. ms. */
const [pause, attempt, every] = [200, 2000, 1000];

/**
 * Waits until all addresses listen. Each is tried once at least. The end of the time does not cut
 * that attempt short, so with 0 seconds the outcome depends on the services alone.
 *
 * @param seconds the limit of the whole wait; 0: try once
 * @throws {BargeError} `unavailable` when one of them does not listen in time
 */
export async function waitForServices(
  stage: Stage,
  addresses: readonly Address[],
  seconds: number,
): Promise<Verdict> {
  const names = addresses.map(formatAddress).join(", ");
  const title = { en: `until ${names} listens`, zh: `等到 ${names} 开始监听` };
  const began = performance.now();
  await stage.live(title, async (scene) => {
    const over = new AbortController();
    const wait: Wait = {
      ...{ scene, began, signal: stage.signal },
      over: AbortSignal.any([stage.signal, over.signal]),
    };
    const timer = setTimeout(() => over.abort(), seconds * 1000);
    try {
      // A failure other than the end of the time ends the whole wait.
      const outcomes = await Promise.all(addresses.map(async (address) => ({
        ...{ address, listens: await one(wait, address) },
      })));
      const missing = outcomes.filter(({ listens }) => !listens);
      if (missing.length === 0) return;
      const path = missing.map(({ address }) => formatAddress(address)).join(", ");
      const why = seconds === 0
        ? "nothing listens there"
        : `nothing listens there within ${seconds} s`;
      const hint = "--timeout SECONDS waits longer";
      throw new BargeError("unavailable", why, { op: "wait for", path, hint });
    } finally {
      over.abort();
      clearTimeout(timer);
    }
  }, "measured");
  const value = performance.now() - began;
  return {
    ok: true,
    said: { en: `${names} listens`, zh: `${names} 已在监听` },
    measured: [{ name: { en: "waited, ms", zh: "等了，毫秒" }, value }],
  };
}

/** The state that all waits share. */
interface Wait {
  readonly scene: Scene;
  readonly began: number;
  /** Aborted when the user interrupts. */
  readonly signal: AbortSignal;
  /** Aborted then, and when the time is over. */
  readonly over: AbortSignal;
}

/** One waits at the event, as the workers of the lesson do; the other tries, and sets it. */
async function one({ scene, began, signal, over }: Wait, address: Address): Promise<boolean> {
  const lane = formatAddress(address);
  const up = new Event();
  const since = () => (performance.now() - began) / 1000;
  const lasts = new AbortController();
  const either = AbortSignal.any([over, lasts.signal]);
  scene.event({ t: since(), lane, what: "waits", of: { en: "listening", zh: "监听" } });
  const says = (async () => {
    while (!await up.waitAsync({ timeout: every / 1000, signal: either })) {
      const text = { en: `still waiting for ${lane}`, zh: `还在等 ${lane}` };
      scene.event({ t: since(), lane, what: "notes", text });
    }
  })();
  says.catch(() => {}); // it ends with the time, or with the attempts
  try {
    for (let first = true; !await listens(address, first ? signal : over); first = false) {
      await up.waitAsync({ timeout: pause / 1000, signal: over });
    }
    up.set();
  } catch (error) {
    signal.throwIfAborted();
    if (!over.aborted || error !== over.reason) throw error;
    return false;
  } finally {
    lasts.abort();
  }
  const text = { en: `${lane} listens`, zh: `${lane} 已在监听` };
  scene.event({ t: since(), lane, what: "runs", text });
  scene.event({ t: since(), lane, what: "ends" });
  return true;
}

async function listens(address: Address, signal: AbortSignal): Promise<boolean> {
  try {
    const stream = await dial(address, { timeout: attempt, idleTimeoutMs: attempt, signal });
    stream.close();
    return true;
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof BargeError && error.kind === "unavailable") return false;
    throw error;
  }
}
