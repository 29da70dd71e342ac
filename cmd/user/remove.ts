/** `barge user remove`: removes an account. */
import { accountsCommand } from "../_data/accounts.ts";
import { BargeError } from "../../core/error.ts";
import { argument, flag } from "../_term/command.ts";
import { note, printJson } from "../_term/out.ts";
import { canAsk, confirm } from "../_term/prompt.ts";
import { counted } from "../_term/progress.ts";
import { formatSize } from "../../core/size.ts";

export default accountsCommand({
  options: {
    name: argument("NAME", "The account"),
    purge: flag("Remove its files for good, too: its home, and its files in /public"),
    yes: flag("Don't ask before --purge", "-y"),
  },
  about: `Removes an account, its tokens and its partial uploads. Without --purge, its home is moved
    to removed/, and its files in /public stay.

    On a terminal, --purge asks first, unless --yes is given.`,
  examples: [
    ["barge user remove bob", "remove bob, and keep his files"],
    ["barge user remove bob --purge --yes", "remove bob and his files, without a question"],
  ],
  async run({ name, purge, yes, json }, { accounts }, { signal }) {
    if (purge && !yes && canAsk()) {
      const { used } = await accounts.get(name);
      const question = `Remove ${name} and all of its files (${formatSize(used)}) for good?`;
      if (!await confirm(question, signal)) {
        throw new BargeError("interrupted", "nothing was removed");
      }
    }
    const { kept, files, bytes } = await accounts.remove(name, { purge });
    if (json) return printJson({ name, kept, files, bytes });
    const size = `${counted(files, "file")}, ${formatSize(bytes)}`;
    note(`removed ${name}`);
    if (kept !== null) note(`its files (${size}) are kept; its home is now ${kept}`);
    else if (purge) note(`its files (${size}) are gone`);
  },
});
