/** The records of written files in the audit trail, where the operator wants them. */
import { fileWritten } from "../../storage/audit/entries.ts";
import { logAudit } from "../../storage/audit/log.ts";
import type { StoredFile, WriteGuard } from "../../storage/uploads.ts";
import type { Statements } from "../database/postgres.ts";
import { addRecords } from "../database/audit_rows.ts";

type Written = Pick<StoredFile, "size" | "replaced">;

/** Adds the records of files, in the transaction that writes the files. */
export async function recordFiles(
  tx: Statements,
  files: readonly (readonly [WriteGuard, Written])[],
): Promise<void> {
  await addRecords(
    tx,
    files.flatMap(([{ record }, file]) => record ? [fileWritten(record, file)] : []),
  );
}

/** Logs the record of a file once it is committed. */
export function logFile({ record }: WriteGuard, file: Written): void {
  if (record) logAudit(fileWritten(record, file));
}
