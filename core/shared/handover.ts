/**
 * Hands an upload from one node to another. A connection that resumes an upload which another node still
 * writes asks that node to record what it has gathered, and to let go: otherwise those bytes would be sent
 * again. A node that does not answer in time has lost them.
 */
import { setTimeout as delay } from "node:timers/promises";
import type { Postgres } from "./postgres.ts";

const channel = "barge_let_go";
/** The longest wait for another node, in ms, and the time between two looks. */
const patienceMs = 2_000;
const lookMs = 50;

/** Calls a function with the id of each upload that another node asks for. */
export async function onLetGo(
  db: Postgres,
  letGo: (upload: number) => void,
): Promise<AsyncDisposable> {
  return await db.listen(channel, (id) => letGo(Number(id)));
}

/** Asks the holder of an upload to let go, and waits until it has, or does not answer. */
export async function askToLetGo(db: Postgres, upload: number): Promise<void> {
  const held = async () => {
    const sql = "SELECT holder IS NOT NULL AS held FROM upload WHERE id = $1";
    return (await db.all<{ held: boolean }>(sql, upload))[0]?.held ?? false;
  };
  if (!await held()) return;
  await db.all("SELECT pg_notify($1, $2)", channel, `${upload}`);
  const until = performance.now() + patienceMs;
  while (performance.now() < until && await held()) await delay(lookMs);
}
