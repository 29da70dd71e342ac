import list from "./_licenses.json" with { type: "json" };

/** One work in the executable, and the terms on which it is there. */
export interface License {
  readonly name: string;
  readonly version: string;
  /** Its SPDX identifier. */
  readonly license: string;
  readonly text: string;
}

/** Barge, the runtime that its executable carries, and every package in it; made by a script. */
export const licenses: readonly License[] = list;

/** All of them as people read them. */
export function licenseText(): string {
  const rule = "-".repeat(78);
  return licenses
    .map(({ name, version, license, text }) =>
      `${name} ${version} (${license})\n${rule}\n${text.trim()}\n`
    )
    .join("\n\n").trimEnd();
}
