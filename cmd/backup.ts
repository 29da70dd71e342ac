/** `barge backup`: copies the accounts database, or all of shared storage, beside running servers. */
import { BargeError } from "../core/error.ts";
import { accountsOptions, type AccountsValues, isShared, openStore } from "./_data/accounts.ts";
import { copyCluster, reporting } from "./_data/copy_cluster.ts";
import { describeStorage, sharedOptions } from "./_data/storage_options.ts";
import { argument, command, flag } from "./_term/command.ts";
import { sharedCode } from "./_term/exit.ts";
import { note, printJson } from "./_term/out.ts";
import { counted, progress } from "./_term/progress.ts";
import { formatSize } from "../core/size.ts";
import { path } from "./_term/value.ts";

export default command({
  options: {
    file: argument(path("FILE"), "The new file; with --store the new data directory"),
    force: flag("Replace an existing file"),
    ...accountsOptions,
  },
  about:
    `Copies the accounts database of a data directory to FILE: accounts, tokens, and the digests
    of all files, as of one moment, even while a server runs. FILE appears complete and checked, or
    not at all; only its owner can read it.

    Everything else is ordinary files: copy homes/, public/, removed/, tls/ and ssh/ with any tool,
    after the database; staging/ is not needed. To restore, stop the server, put the files back,
    replace accounts.db by FILE, remove accounts.db-wal and accounts.db-shm, which would be replayed
    over it, and run \`barge verify --repair\`. docs/backup.md has the commands.

    With --store: copies everything, files too, into a new data directory FILE, while nodes serve, as
    \`barge migrate --from\` does. A copy that was cut off goes on when the command runs again. Each
    file is copied as one version of it; a file that can't be read is reported and left out, and the
    exit code shows why. \`barge verify --data FILE\` checks the copy, \`barge serve --data FILE\` serves
    it. docs/cluster.md describes backups of the database and the bucket themselves.`,
  examples: [
    ["barge backup /var/backups/accounts.db --force", "from cron, replacing yesterday's"],
    ["barge backup accounts-$(date +%F).db --data /srv/barge", "one file a day"],
    [
      "barge backup copy --store postgres://barge@db/files --bucket s3+https://s3.box/bytes",
      "everything that many machines share, as a data directory",
    ],
  ],
  async run(values, { signal }) {
    const { file, force, data, json } = values;
    if (isShared(values)) return await backupCluster(values, { ...values, signal });
    // Opening it reports faults of the directory, and upgrades an old database.
    (await openStore(data))[Symbol.dispose]();
    const { backup } = await import("../core/local/database/backup.ts");
    const { path, bytes, accounts, files } = await backup(data, file, { force, signal });
    if (json) printJson({ path, bytes, accounts, files });
    else {
      const holds = `${counted(accounts, "account")} and the digests of ${counted(files, "file")}`;
      note(`${path}: ${holds}, ${formatSize(bytes)}`);
    }
  },
});

async function backupCluster(
  values: AccountsValues,
  { file, force, json, signal }: {
    readonly file: string;
    readonly force: boolean;
    readonly json: boolean;
    readonly signal: AbortSignal;
  },
): Promise<number> {
  if (force) {
    throw new BargeError("usage", "--force is for copies of a data directory's database", {
      hint: "name a new directory, or that of a copy which was cut off",
    });
  }
  const storage = (await sharedOptions(values))!;
  const address = describeStorage(storage);
  note(`storage: ${address}`);
  const { SharedStorage } = await import("../core/shared/storage.ts");
  await using shared = new SharedStorage(storage, () => 0);
  using shown = progress(json);
  const copied = await copyCluster(shared, file, { address, ...reporting(shown, json, signal) });
  shown?.hide();
  const { accounts, bytes, kept, problems } = copied;
  const files = copied.files + kept;
  if (json) {
    printJson({ type: "summary", path: file, bytes, accounts, files, problems: problems.length });
  } else {
    const left = problems.length === 0 ? "" : `; ${counted(problems.length, "file")} left out`;
    const holds = `${counted(accounts, "account")} and ${counted(files, "file")}`;
    note(`${file}: ${holds}, ${formatSize(bytes)} copied${left}`);
  }
  return sharedCode(problems.map(({ kind }) => kind));
}
