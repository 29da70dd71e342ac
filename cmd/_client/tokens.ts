/** Prints the tokens of an account. */
import type { Token } from "../../core/client/token.ts";
import { printJson } from "../_term/out.ts";
import { minute, printTable } from "../_term/table.ts";

/** Prints tokens as a table, or as JSON, one a line. The fields are frozen. */
export function printTokens(tokens: readonly Token[], json: boolean): void {
  if (json) {
    for (const token of tokens) {
      const { id, label, created, used, usedFrom, expired } = token;
      printJson({ id, label, created, used, usedFrom, expired, ...limitsOf(token) });
    }
    return;
  }
  const rows = tokens.map((token) => [
    token.id,
    minute(token.created),
    minute(token.used),
    token.usedFrom ?? "",
    token.expires === null ? "never" : token.expired ? "expired" : minute(token.expires),
    limitsText(token),
    token.label,
  ]);
  printTable(["ID", "CREATED", "LAST USED", "FROM", "EXPIRES", "LIMITS", "LABEL"], rows);
}

function limitsOf({ access, path, doors, from, expires }: Token) {
  return { access, path, doors, from, expires };
}

/** Returns the limits of a token in one line, without its end; "none" for none. */
function limitsText({ access, path, doors, from }: Token): string {
  const limits = [
    access === "full" ? null : access,
    path,
    doors && doors.join(","),
    from && `from ${from.join(",")}`,
  ];
  return limits.filter((limit) => limit !== null).join(" ") || "none";
}
