/** `barge migrate`: moves a data directory to storage that many machines share, and back. */
import { BargeError } from "../core/error.ts";
import type { Migrated, MigrateOptions } from "../core/migrate/report.ts";
import type { SharedStorage } from "../core/shared/storage.ts";
import { formatSize } from "../core/size.ts";
import { noteData, noteServersElsewhere } from "./_data/accounts.ts";
import { copyCluster, reporting } from "./_data/copy_cluster.ts";
import {
  describeStorage,
  secretOptions,
  sharedOptions,
  storageOptions,
  storeUrl,
} from "./_data/storage_options.ts";
import { command, dataOption, flag, value } from "./_term/command.ts";
import { sharedCode } from "./_term/exit.ts";
import { note, printJson } from "./_term/out.ts";
import { counted, progress } from "./_term/progress.ts";
import { version } from "./_version.ts";

export default command({
  options: {
    to: value(storeUrl(), "The PostgreSQL database to migrate the data directory to"),
    from: value(storeUrl(), "The PostgreSQL database to copy to a new data directory"),
    bucket: storageOptions.bucket,
    final: flag("With --to: the last pass, while no server runs on the data directory"),
    quiet: flag("No progress, no summary; only the problems", "-q"),
    data: dataOption(),
    ...secretOptions,
  },
  about: `Migrates a data directory to storage that many machines share, or copies that storage to a
    new data directory. Accounts keep their passwords, tokens, keys, links and quotas; files keep
    their owners, times and properties; clients find the same certificate and SSH host keys. The
    digest of every file is compared on the way. Events that wait for their delivery keep their ids,
    and certificates by ACME their account. WebDAV's locks are left out, and so are links and
    devices in the directory, which no door shows.

    --to reads the data directory, and changes nothing in it. Run it while the server runs, as often
    as you like: each pass takes what has changed since the last one. Then stop the server and run it
    with --final: this takes the rest, with partial uploads and events, compares the sums of all
    accounts, and writes a file \`migrated\` into the directory, so that no server starts on it.

    --from copies to an empty directory, also while nodes serve the storage: a full backup. Each file
    is copied as one version of it. Until the copy is whole, no server starts on it.

    Both can be cut off and run again. A file that can't be read, or is damaged, is reported and left
    out; the exit code then shows the kind of the failures, and the migration does not end.`,
  examples: [
    [
      "barge migrate --to postgres://barge@db/files --bucket s3+https://s3.box/bytes",
      "a first pass, while the server runs",
    ],
    [
      "barge migrate --to postgres://barge@db/files --bucket s3+https://s3.box/bytes --final",
      "the last pass",
    ],
    [
      "barge migrate --from postgres://barge@db/files --bucket s3+https://s3.box/bytes --data copy",
      "a full backup",
    ],
  ],
  async run({ to, from, final, quiet, data, json, ...values }, { signal }) {
    if ((to === undefined) === (from === undefined)) {
      throw new BargeError("usage", "name one database, with --to or --from");
    }
    if (from && final) throw new BargeError("usage", "--final belongs to --to");
    if (!values.bucket) throw new BargeError("usage", "name the bucket, with --bucket");
    const storage = (await sharedOptions({ ...values, store: to ?? from }))!;
    const { SharedStorage } = await import("../core/shared/storage.ts");
    await using shared = new SharedStorage(storage, () => 0);
    if (!quiet) noteData(data);
    if (!quiet && to) await noteServersElsewhere(data);
    using shown = progress(quiet);
    const options = { address: describeStorage(storage), ...reporting(shown, json, signal) };
    const migrated = to
      ? await migrateTo(shared, data, { ...options, final })
      : await copyCluster(shared, data, options);
    shown?.hide();
    const ended = migrated.problems.length === 0 && (final || from !== undefined);
    const { problems, ...counts } = migrated;
    if (json) printJson({ type: "summary", ...counts, problems: problems.length, ended });
    else if (!quiet) noteSummary(migrated, ended, to !== undefined);
    return sharedCode(problems.map(({ kind }) => kind));
  },
});

type Options = MigrateOptions & { readonly address: string };

async function migrateTo(
  shared: SharedStorage,
  data: string,
  options: Options & { readonly final: boolean },
): Promise<Migrated> {
  const { lockData } = await import("../core/serve/data.ts");
  const { toShared } = await import("../core/migrate/to_shared.ts");
  using _ = options.final ? await lockData(data) : undefined;
  return await toShared(data, shared, { ...options, version });
}

function noteSummary(migrated: Migrated, ended: boolean, toShared: boolean): void {
  const { accounts, files, bytes, kept, removed, uploads, problems } = migrated;
  const counts = [
    counted(accounts, "account"),
    `${counted(files, "file")} copied (${formatSize(bytes)}), ${kept} there already`,
    ...(removed > 0 ? [`${removed} removed`] : []),
    ...(uploads > 0 ? [counted(uploads, "partial upload")] : []),
  ];
  note(counts.join("; "));
  if (problems.length > 0) note(`${counted(problems.length, "problem")}: run it again`);
  else if (!ended) note("(stop the server, and run the last pass with --final)");
  else if (toShared) note("the migration has ended; start nodes with --store and --bucket");
  else note("the copy is whole");
}
