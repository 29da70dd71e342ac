/** Checks the facts of uploads and files that come from workers: in messages, and in rows of events. */
import * as v from "valibot";
import { bytes, sha256 } from "../../protocol/field.ts";
import { checkAccountName } from "../../storage/account_rules.ts";
import { locate } from "../../storage/path.ts";
import { doorNames } from "../../watch/metrics.ts";

const text = (maxLength: number) => v.pipe(v.string(), v.maxLength(maxLength));
const passes = (check: (text: string) => unknown) => (text: string) => {
  try {
    check(text);
    return true;
  } catch {
    return false;
  }
};
const account = v.pipe(text(64), v.check(passes(checkAccountName), "not an account's name"));
/** Accepts paths in /home and /public. Whether a path is valid does not depend on the account's name. */
const userPath = passes((path) => locate(path, "anyone"));
const path = v.pipe(text(3000), v.check(userPath, "not a user's path"));
/** A time in RFC 3339, or in JavaScript's format for years beyond 9999. */
const moment = v.pipe(text(40), v.regex(/^[-+.:TZ\d]+$/));

export const door = v.picklist(doorNames);
export const positiveId = v.pipe(v.number(), v.safeInteger(), v.minValue(1));

const common = {
  path,
  size: bytes,
  sha256,
  modified: moment,
  verified: v.boolean(),
  door: v.nullable(door),
  replaced: v.boolean(),
  time: moment,
};

/** The facts of an upload that is to be checked. */
export const checkFacts = v.strictObject({
  event: v.literal("check"),
  account,
  upload: positiveId,
  ...common,
});

/** The facts of an upload or a copy that has become a file. */
export const commitFacts = v.strictObject({ event: v.literal("commit"), account, ...common });

/** The facts of a file that was committed. Programs read them as JSON, so their names are frozen. */
export type CommitFacts = v.InferOutput<typeof commitFacts>;
