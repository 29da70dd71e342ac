/**
 * Copies of files, which share the content of their originals. Copies that wait at the same time are made in one
 * transaction. Each of them succeeds or fails by itself.
 */
import { BargeError } from "../../error.ts";
import { commitEvent } from "../../storage/event_facts.ts";
import type { Place } from "../../storage/place.ts";
import type { NewUpload, StoredFile, WriteGuard } from "../../storage/uploads.ts";
import type { Parts } from "../bucket/parts.ts";
import type { SharedOutbox } from "../database/outbox.ts";
import { type Change, change } from "../tree/change.ts";
import { writeFiles } from "../tree/files.ts";
import type { NodeRow } from "../tree/node_rows.ts";
import { runGuard, type SharedView } from "../tree/view.ts";
import { admit } from "./admit.ts";
import { Groups } from "../database/groups.ts";
import { recordFiles } from "./file_records.ts";

interface FileCopy {
  readonly from: Place;
  readonly to: NewUpload;
  readonly guard: WriteGuard;
}

type Outcome = StoredFile | BargeError;

export class FileCopies {
  readonly #groups: Groups<FileCopy, StoredFile>;

  constructor({ db, outbox }: Pick<Parts, "db" | "outbox">) {
    this.#groups = new Groups({
      placeOf: ({ to }) => to,
      run: (group) => {
        const places = group.flatMap(({ from, to }) => [from, to]);
        const accounts = group.map(({ to }) => to.account);
        return change(db, places, accounts, async (step) => {
          await step.view.prefetch(places);
          return await writeCopies(step, group, outbox);
        });
      },
    });
  }

  /** Copies a file: see `Uploads.copy`. */
  copy(from: Place, to: NewUpload, guard: WriteGuard): Promise<StoredFile> {
    return this.#groups.add({ from, to, guard });
  }
}

async function writeCopies(
  step: Change,
  group: readonly FileCopy[],
  outbox: SharedOutbox,
): Promise<Outcome[]> {
  const sources = await Promise.all(group.map(({ from }) => sourceAt(step.view, from)));
  const candidates = group.flatMap(({ to, guard }, i) => {
    const source = sources[i];
    return source ? [{ upload: to, size: source.size, guard, source }] : [];
  });
  const admitted = await admit(step, candidates);
  const files = candidates.filter((_, i) => !(admitted[i] instanceof BargeError));
  const times = await writeFiles(
    step,
    files.map(({ upload: { dir, name, account, modified }, source }) => ({
      place: { dir, name },
      owner: account,
      content: source.content!,
      size: source.size,
      sha256: source.sha256!,
      modified: modified ?? source.modified,
    })),
  );
  const outcomes = new Map(candidates.map((candidate, i): [NewUpload, Outcome] => {
    const outcome = admitted[i];
    if (outcome instanceof BargeError) return [candidate.upload, outcome];
    const { size, sha256 } = candidate.source;
    const modified = times[files.indexOf(candidate)];
    return [candidate.upload, { size, sha256: sha256!, modified, replaced: outcome.replaced }];
  }));
  await outbox.add(step.tx, () =>
    candidates.flatMap(({ upload, guard: { door = null } }) => {
      const copied = outcomes.get(upload);
      if (!copied || copied instanceof BargeError) return [];
      const { dir, name } = upload;
      const account = step.accounts.get(upload.account)?.name ?? null;
      return [commitEvent({ ...copied, dir, name, account, verified: true, door })];
    }));
  await recordFiles(
    step.tx,
    candidates.flatMap(({ upload, guard }) => {
      const file = outcomes.get(upload);
      return !file || file instanceof BargeError ? [] : [[guard, file] as const];
    }),
  );
  const missing = new BargeError("not-found", "there is no such file");
  return group.map(({ to }) => outcomes.get(to) ?? missing);
}

/** Returns the row of a file; undefined where no file is. */
async function sourceAt(view: SharedView, place: Place): Promise<NodeRow | undefined> {
  const row = await runGuard(view, () => view.node(place));
  return row?.folder ? undefined : row;
}
