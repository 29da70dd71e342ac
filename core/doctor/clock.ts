/** Checks this machine's clock against times that others have given. */
import type { Verdict } from "./finding.ts";
import type { LocalSetup, SharedSetup } from "./setup.ts";

/** The difference of clocks from which it is a warning, and a fault, in ms. */
const warnMs = 5_000;
const badMs = 60_000;

const advice =
  "Let NTP set the clocks (`timedatectl set-ntp true`): the ends of logins, bans, tokens " +
  "and certificates depend on them.";

/**
 * Looks for files at the top of the data directory that were changed in the future. Only barge changes these;
 * clients can set the times of other files.
 */
export function checkFileClock({ data }: LocalSetup): Verdict[] {
  const files = Array.from(Deno.readDirSync(data)).filter(({ isFile }) => isFile);
  const times = files.map(({ name }) => {
    const path = `${data}/${name}`;
    return { path, time: Deno.lstatSync(path).mtime?.getTime() ?? 0 };
  });
  const { path, time } = times.reduce((last, next) => next.time > last.time ? next : last, {
    path: data,
    time: 0,
  });
  const aheadMs = time - Date.now();
  if (aheadMs < warnMs) {
    const message = "No file at the top of the data directory is newer than this machine's clock.";
    return [{ severity: "ok", message }];
  }
  const message =
    `A file was changed ${seconds(aheadMs)} after the time of this machine's clock, ` +
    "so the clock is slow, or was set back.";
  return [{ severity: aheadMs < badMs ? "warn" : "bad", message, advice, path }];
}

/** Compares this machine's clock with that of the database. @throws {BargeError} `unavailable` */
export async function checkDatabaseClock({ storage }: SharedSetup): Promise<Verdict[]> {
  const before = Date.now();
  const [{ now }] = await storage.parts.db.all<{ now: number }>(
    "SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint AS now",
  );
  return [judgeClock("the database", now - (before + Date.now()) / 2)];
}

/** Compares this machine's clock with that of the bucket. @throws {BargeError} as `Bucket.list` */
export async function checkBucketClock({ storage }: SharedSetup): Promise<Verdict[]> {
  const before = Date.now();
  const { now } = await storage.parts.bucket.list("", 1);
  // The store cuts its time to whole seconds.
  return Number.isNaN(now) ? [] : [judgeClock("the bucket", now + 500 - (before + Date.now()) / 2)];
}

/** Judges a difference of clocks. @param aheadMs the other clock's time minus this machine's */
export function judgeClock(other: string, aheadMs: number): Verdict {
  const apartMs = Math.abs(aheadMs);
  if (apartMs < warnMs) {
    return { severity: "ok", message: `The clocks of this machine and ${other} agree.` };
  }
  const message =
    `The clock of ${other} is ${seconds(apartMs)} ${aheadMs > 0 ? "ahead of" : "behind"} ` +
    "this machine's.";
  return { severity: apartMs < badMs ? "warn" : "bad", message, advice };
}

function seconds(ms: number): string {
  return `${Math.round(ms / 1000)} s`;
}
