/** What one has not finished to upload: for who wants to go on with it and no longer knows. */
import type { UploadRow } from "../local/ledger/reservation.ts";
import { BargeError } from "../error.ts";
import { digestFile } from "../local/vault/digest.ts";
import { relative } from "../storage/place.ts";
import { stagedPlace } from "../local/vault/staging.ts";
import { continuable } from "../local/partial_upload.ts";
import type { Session } from "../login/session.ts";

/** A file is known again by the digest of so many bytes at its beginning, or of what there is. */
const sampled = 1024 * 1024;

/** A half-finished upload. */
export interface Half {
  readonly path: string;
  /** The whole file's bytes. */
  readonly size: number;
  /** How many of them are here. */
  readonly offset: number;
  /** The time that the file is to have, in ms since 1970, if one was given. */
  readonly modified: number | null;
  /** Its beginning: so many bytes, and their SHA-256 in hex. */
  readonly begins: { readonly bytes: number; readonly sha256: string };
}

/** Yields one's own that nobody writes now, of files whose size is known; the oldest first. */
export async function* halves(
  session: Session,
  signal?: AbortSignal,
): AsyncGenerator<Half, void, void> {
  const { store } = session;
  const account = session.accountNow();
  for (const row of store.reservations.idleOf(account.id)) {
    const half = await halfOf(session, account.name, row, signal);
    if (half) yield half;
  }
}

/** @returns undefined for one that is gone meanwhile */
async function halfOf(
  { store }: Session,
  account: string,
  row: UploadRow,
  signal?: AbortSignal,
): Promise<Half | undefined> {
  const offset = continuable(store, row);
  if (row.size === null) return undefined;
  const bytes = Math.min(offset, sampled);
  try {
    const { digest } = await digestFile(store.vault, stagedPlace(row.id), "sha256", bytes, signal);
    const path = relative(row).replace(`homes/${account}/`, "home/");
    const { size, modified } = row;
    return { path: `/${path}`, size, offset, modified, begins: { bytes, sha256: digest } };
  } catch (error) {
    if (error instanceof BargeError && error.kind === "not-found") return undefined;
    throw error;
  }
}
