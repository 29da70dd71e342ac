/**
 * Compares the facts of files with those of their content. One statement reads both as they are at one
 * moment, and a commit writes both in one transaction.
 */
import { pathColumn, pathOf } from "./contents.ts";
import type { Finding, VerifyRun } from "./run.ts";

const pageFiles = 1000;

interface FileRow {
  readonly folder: boolean;
  readonly size: number;
  readonly wrong: "changed" | "missing" | null;
  /** The path of a file that is wrong, as {@link pathColumn}; null for any other. */
  readonly path: string | null;
}

const findings = {
  changed: { kind: "changed", what: "has another size or digest than its content" },
  missing: { kind: "missing", what: "has no content" },
} as const satisfies Record<string, Finding>;

/** Checks all files, and reports how much there is to read. */
export async function verifyFiles(run: VerifyRun): Promise<void> {
  let files = 0;
  let bytes = 0;
  const wrong = `CASE WHEN page.folder THEN NULL WHEN page.content IS NULL THEN 'missing'
    WHEN page.size IS DISTINCT FROM content.size OR page.sha256 IS DISTINCT FROM content.sha256
    THEN 'changed' END`;
  const rows = run.rows<FileRow>(
    "node",
    pageFiles,
    `page.folder, page.size, ${wrong} AS wrong, CASE WHEN ${wrong} IS NOT NULL THEN ${pathColumn} END AS path`,
    "LEFT JOIN content ON content.id = page.content",
  );
  for await (const { folder, size, wrong, path } of rows) {
    if (folder) continue;
    files++;
    bytes += size;
    if (wrong) run.report(pathOf(path!), findings[wrong]);
  }
  const { onEvent, contents } = run.options;
  onEvent?.({ type: "plan", files, bytes: contents ? bytes : 0 });
}
