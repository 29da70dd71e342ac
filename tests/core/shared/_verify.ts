/** What the tests of `barge verify` over shared storage have in common. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import type { Parts } from "../../../core/shared/bucket/parts.ts";
import type { SharedTree } from "../../../core/shared/tree/tree.ts";
import type { SharedUploads } from "../../../core/shared/upload/uploads.ts";
import { verifyShared } from "../../../core/shared/verify/verify.ts";
import type { SharedVerified, SharedVerifyOptions } from "../../../core/shared/verify/run.ts";
import type { Place } from "../../../core/storage/place.ts";
import type { Problem } from "../../../core/storage/problem.ts";
import { hasEngines, SharedSetup } from "../../contract/store/_shared.ts";
import { commit, declared, file } from "../../contract/store/_suite_uploads.ts";

export interface Case {
  readonly setup: SharedSetup;
  readonly parts: Parts;
  readonly uploads: SharedUploads;
  readonly tree: SharedTree;
  readonly anna: number;
}

export function test(name: string, work: (c: Case) => Promise<void>): void {
  Deno.test({
    name: `shared verify: ${name}`,
    ignore: !hasEngines,
    async fn() {
      await using setup = await SharedSetup.make();
      const anna = await setup.addAccount("anna", null);
      const { parts, uploads, tree } = setup.node();
      await work({ setup, parts, uploads, tree, anna });
    },
  });
}

export const path = "homes/anna/f";
/** The age of an object that was written a moment ago: the store's clock is read in whole seconds. */
export const anyAge = -1000;
export const named = (name: string): Place => ({ dir: file.dir, name });
export const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

/** Returns bytes of which no two pieces are the same. */
export function bytesOf(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (i * 2654435761) >>> 13);
}

export interface Found extends SharedVerified {
  readonly list: readonly Problem[];
  /** The kinds and paths of the problems, sorted. */
  readonly kinds: readonly string[];
}

export async function verify(
  parts: Parts,
  options: Partial<SharedVerifyOptions> = {},
): Promise<Found> {
  const list: Problem[] = [];
  const onProblem = (problem: Problem) => void list.push(problem);
  const counts = await verifyShared(parts, {
    repair: false,
    contents: true,
    onProblem,
    ...options,
  });
  assert.equal(counts.problems, list.length);
  assert.equal(counts.repaired, list.filter(({ repaired }) => repaired).length);
  return { ...counts, list, kinds: list.map(({ kind, path }) => `${kind} ${path}`).sort() };
}

/** Stores a file of several pieces. */
export async function storeLarge({ uploads, anna }: Case, length = 1_200_000, place = file) {
  const open = await uploads.begin(declared(anna, length, place), { keep: 0 });
  await open.body.write(bytesOf(length));
  await commit(open, place);
}

export async function objectsOf({ db }: Parts): Promise<number[]> {
  const rows = await db.all<{ object: number }>(
    "SELECT object FROM piece ORDER BY content, at",
  );
  return rows.map(({ object }) => object);
}

/** Expects the same findings with and without `repair`: only reported. */
export async function staysAsFound(parts: Parts, kinds: readonly string[]): Promise<Found> {
  const found = await verify(parts, { repair: true, orphanAgeMs: anyAge });
  assert.deepEqual(found.kinds, kinds);
  assert.equal(found.repaired, 0);
  assert.deepEqual((await verify(parts)).kinds, kinds);
  return found;
}
