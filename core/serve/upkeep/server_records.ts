/** The server's own records in the audit trail. */
import { type AuditDetails, operator } from "../../storage/audit/audit.ts";
import { attempt } from "../attempt.ts";
import type { Ground } from "../ground.ts";
import type { ChangedSettings } from "../reload.ts";

/** Records the start of the server. */
export async function recordStart({ audit, settings }: Ground): Promise<void> {
  const { version = "" } = settings;
  const details = { version, ...nodeOf(settings) };
  const entry = { event: "server-started", account: null, by: operator, details } as const;
  await attempt("can't record the start", () => audit.add(entry));
}

/** Records a change of the settings by SIGHUP. */
export async function recordSettings(
  { audit, settings }: Ground,
  changed: ChangedSettings["changed"],
): Promise<void> {
  const details = { ...changed, ...nodeOf(settings) } as AuditDetails;
  const entry = { event: "settings-changed", account: null, by: operator, details } as const;
  await attempt("can't record the change of settings", () => audit.add(entry));
}

/** Returns the field that names the node; none on one machine. */
function nodeOf(settings: Ground["settings"]): { readonly node?: string } {
  return "node" in settings ? { node: settings.node.name } : {};
}
