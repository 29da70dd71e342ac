import { must } from "./run.ts";

export interface ArchiveOptions {
  /** The time of each file, in seconds since 1970. */
  readonly time: number;
  /** 1 to 9. */
  readonly gzipLevel: number;
}

/**
 * Writes a gzipped tar of `name` in `folder` to `out`, with GNU tar and gzip. Its bytes depend only on the
 * names, modes and bytes of the files, and on the options.
 *
 * @param name a file or folder; `.` is everything in `folder`
 */
export async function archive(
  folder: string,
  name: string,
  out: string,
  { time, gzipLevel }: ArchiveOptions,
): Promise<void> {
  const options = [
    "--create",
    "--sort=name",
    "--format=gnu",
    "--mode=u=rwX,go=rX",
    `--mtime=@${time}`,
    ...["--owner=0", "--group=0", "--numeric-owner"],
  ];
  const part = `${out}.tar`;
  try {
    await must("tar", [...options, `--file=${part}`, name], { cwd: folder, env: { LC_ALL: "C" } });
    await must("sh", ["-ec", `gzip -n${gzipLevel} <"$1" >"$2"`, "sh", part, out]);
  } finally {
    await Deno.remove(part).catch(() => {}); // tar may not have made it
  }
}
