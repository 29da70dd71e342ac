/** `barge backup`: copies the accounts database, beside a running server. */
import { accountsOptions, needDirectory, openStore } from "./_data/accounts.ts";
import { argument, command, flag } from "./_term/command.ts";
import { note, printJson } from "./_term/out.ts";
import { counted } from "./_term/progress.ts";
import { formatSize } from "../core/size.ts";
import { path } from "./_term/value.ts";

export default command({
  options: {
    file: argument(path("FILE"), "The new file"),
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
    over it, and run \`barge verify --repair\`. docs/backup.md has the commands.`,
  examples: [
    ["barge backup /var/backups/accounts.db --force", "from cron, replacing yesterday's"],
    ["barge backup accounts-$(date +%F).db --data /srv/barge", "one file a day"],
  ],
  async run(values, { signal }) {
    const { file, force, data, json } = values;
    needDirectory(
      values,
      "`barge migrate --from` copies that to a data directory, which is a full backup",
    );
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
