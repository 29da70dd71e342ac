import list from "./_licenses.json" with { type: "json" };

export interface License {
  readonly name: string;
  readonly version: string;
  /** The SPDX identifier. */
  readonly license: string;
  readonly text: string;
}

/** Barge, the runtime, and every package in the executable, as scripts/licenses.ts lists them. */
export const licenses: readonly License[] = list;

/** Returns licenses as one text. Default: all of them. */
export function licenseText(parts: readonly License[] = licenses): string {
  const rule = "-".repeat(78);
  return parts
    .map(({ name, version, license, text }) =>
      `${name} ${version} (${license})\n${rule}\n${text.trim()}\n`
    )
    .join("\n\n").trimEnd();
}
