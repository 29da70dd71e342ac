/**
 * Hands an upload from one node to another. A connection that resumes an upload which another node still
 * writes asks that node to record the bytes that it has gathered, and to give the upload up. If the node
 * does not answer in time, those bytes are lost, and the client sends them again.
 */
import { delay } from "../../net/delay.ts";
import type { Postgres } from "../database/postgres.ts";

const channel = "barge_let_go";
/** The longest wait for another node, and the time between two checks of the row, in ms. */
const answerTimeoutMs = 2_000;
const pollMs = 50;

/** Calls a function with the id of each upload that another node asks this one to give up. */
export async function onLetGo(
  db: Postgres,
  letGo: (upload: number) => void,
): Promise<AsyncDisposable> {
  return await db.listen(channel, (id) => letGo(Number(id)));
}

/** Asks the holder of an upload to give it up, and waits until it has, up to the timeout. */
export async function askToLetGo(db: Postgres, upload: number): Promise<void> {
  const held = async () => {
    const sql = "SELECT holder IS NOT NULL AS held FROM upload WHERE id = $1";
    return (await db.all<{ held: boolean }>(sql, upload))[0]?.held ?? false;
  };
  if (!await held()) return;
  await db.all("SELECT pg_notify($1, $2)", channel, `${upload}`);
  const until = performance.now() + answerTimeoutMs;
  while (performance.now() < until && await held()) await delay(pollMs);
}
