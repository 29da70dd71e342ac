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

export function licenseText(): string {
  const rule = "-".repeat(78);
  return licenses
    .map(({ name, version, license, text }) =>
      `${name} ${version} (${license})\n${rule}\n${text.trim()}\n`
    )
    .join("\n\n").trimEnd();
}
