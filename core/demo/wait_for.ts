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
 * @param seconds how long all of it may take
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
    const patience = AbortSignal.any([stage.signal, over.signal]);
    const timer = setTimeout(() => over.abort(), seconds * 1000);
    try {
      await Promise.all(addresses.map((address) => one(scene, address, began, patience)));
    } catch (error) {
      stage.signal.throwIfAborted();
      if (!over.signal.aborted) throw error;
      throw new BargeError("unavailable", `not all listen within ${seconds} s`, {
        op: "wait for",
        path: names,
        hint: "--timeout SECONDS waits longer",
      });
    } finally {
      over.abort();
      clearTimeout(timer);
    }
  });
  const ms = performance.now() - began;
  const said = { en: `${names} listens`, zh: `${names} 已在监听` };
  return { ok: true, said, measured: { "waited, ms": ms } };
}

/** One waits at the event, as the workers of the lesson do; the other tries, and sets it. */
async function one(
  scene: Scene,
  address: Address,
  began: number,
  signal: AbortSignal,
): Promise<void> {
  const lane = formatAddress(address);
  const up = new Event();
  const since = () => (performance.now() - began) / 1000;
  scene.tells({ t: since(), lane, what: "waits", of: "listening" });
  const says = (async () => {
    while (!await up.waitAsync({ timeout: every / 1000, signal })) {
      scene.tells({ t: since(), lane, what: "notes", text: `still waiting for ${lane}` });
    }
  })();
  const tries = (async () => {
    while (!await listens(address, signal)) {
      if (await up.waitAsync({ timeout: pause / 1000, signal })) return;
    }
    up.set();
  })();
  // Neither may reject unseen while the other is awaited.
  const ends = await Promise.allSettled([says, tries]);
  for (const end of ends) if (end.status === "rejected") throw end.reason;
  scene.tells({ t: since(), lane, what: "notes", text: `${lane} listens` });
  scene.tells({ t: since(), lane, what: "ends" });
}

async function listens(address: Address, signal: AbortSignal): Promise<boolean> {
  try {
    const stream = await dial(address, { timeout: attempt, patience: attempt, signal });
    stream.close();
    return true;
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof BargeError && error.kind === "unavailable") return false;
    throw error;
  }
}
