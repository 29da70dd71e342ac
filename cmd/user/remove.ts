/** `barge user remove`: removes an account. */
import { accountsCommand } from "../_data/accounts.ts";
import { argument, flag } from "../_term/command.ts";
import { note, printJson } from "../_term/out.ts";
import { counted } from "../_term/progress.ts";
import { formatSize } from "../../core/size.ts";

export default accountsCommand({
  options: {
    name: argument("NAME", "The account"),
    purge: flag("Remove its files for good, too: its home, and its files in /public"),
  },
  about: `Removes an account, its tokens and its partial uploads. Without --purge, its home is moved
    to removed/, and its files in /public stay.`,
  examples: [["barge user remove bob", "remove bob, and keep his files"]],
  async run({ name, purge, json }, { accounts }) {
    const { kept, files, bytes } = await accounts.remove(name, { purge });
    if (json) return printJson({ name, kept, files, bytes });
    const size = `${counted(files, "file")}, ${formatSize(bytes)}`;
    note(`removed ${name}`);
    if (kept !== null) note(`its files (${size}) are kept; its home is now ${kept}`);
    else if (purge) note(`its files (${size}) are gone`);
  },
});
