/** The command `scp`, as clients start it at the other end: with `-t` it receives files, with `-f` it sends them. */
import { type CommandContext, ScpDialog } from "./scp_dialog.ts";
import { receiveAll } from "./scp_sink.ts";
import { send } from "./scp_source.ts";

/** @returns the exit code */
export async function scp(command: CommandContext, args: readonly string[]): Promise<number> {
  const letters = new Set<string>();
  let at = 0;
  for (; args[at]?.startsWith("-") && args[at] !== "-"; at++) {
    if (args[at] === "--") {
      at++;
      break;
    }
    for (const letter of args[at].slice(1)) letters.add(letter);
  }
  const paths = args.slice(at);
  const [receives, sends] = [letters.has("t"), letters.has("f")];
  if (receives === sends || paths.length === 0 || receives && paths.length > 1) {
    await command.complain("scp: a file server runs it with -t PATH or -f PATH...");
    return 1;
  }
  const dialog = new ScpDialog(command, letters);
  await (receives ? receiveAll(dialog, paths[0]) : send(dialog, paths));
  return dialog.failed ? 1 : 0;
}
