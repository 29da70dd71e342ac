/** The decision which files of a group may be written. */
import { BargeError, typed } from "../../error.ts";
import { overQuota } from "../../storage/over_quota.ts";
import type { NewUpload, WriteGuard } from "../../storage/uploads.ts";
import type { Change } from "../tree/change.ts";
import { checkGuard, runGuard } from "../tree/view.ts";

/** A file that a client asks to write. */
export interface Candidate {
  readonly upload: NewUpload;
  /** Its size, in bytes. */
  readonly size: number;
  readonly guard: WriteGuard;
}

/** Runs the guard of each file, and checks that the quota has room for all files that pass together. */
export async function admit(
  { view, accounts }: Change,
  files: readonly Candidate[],
): Promise<({ readonly replaced: boolean } | BargeError)[]> {
  await view.prefetch(files.map(({ upload }) => upload));
  const sums = new Map(accounts);
  const outcomes: ({ readonly replaced: boolean } | BargeError)[] = [];
  for (const { upload, size, guard } of files) {
    try {
      const existing = await checkGuard(view, guard);
      await runGuard(view, () => view.needFolder(upload));
      const node = await runGuard(view, () => view.node(upload));
      const account = sums.get(upload.account);
      if (!account) throw new BargeError("denied", "the account is gone");
      const own = node && !node.folder && node.owner === upload.account;
      const more = { bytes: size - (own ? node.size : 0), entries: own ? 0 : 1 };
      const refusal = overQuota(account, more);
      if (refusal) throw refusal;
      sums.set(upload.account, {
        ...account,
        used: account.used + more.bytes,
        entries: account.entries + more.entries,
      });
      outcomes.push({ replaced: existing !== undefined });
    } catch (error) {
      outcomes.push(typed(error));
    }
  }
  return outcomes;
}
