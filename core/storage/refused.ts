/** The failure of storage that refuses the server itself: only the operator can mend it. */
import { BargeError, type ErrorFacts } from "../error.ts";

/**
 * The storage refuses the server: wrong keys, a missing bucket, an untrusted certificate. At the start it ends
 * the server. Later, doors log it and answer `unavailable`, since requests succeed once it is mended.
 *
 * @example
 * ```ts
 * import { StorageRefused } from "./refused.ts";
 * const failed = new StorageRefused("the bucket does not exist").with({ path: "/home/a" });
 * if (!(failed instanceof StorageRefused && failed.kind === "fatal")) throw failed;
 * ```
 */
export class StorageRefused extends BargeError {
  /** @param why the reason, in lower case */
  constructor(why: string, facts: ErrorFacts = {}) {
    super("fatal", why, facts);
  }

  override with(facts: ErrorFacts): StorageRefused {
    return new StorageRefused(this.message, super.with(facts));
  }
}
