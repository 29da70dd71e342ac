/** `barge shell`: an interactive session at a server. */
import { BargeError } from "../core/error.ts";
import { command, flag, optionalArgument, value } from "./_term/command.ts";
import { size } from "./_term/value.ts";
import { argumentOrOption } from "./_client/choose.ts";
import { passwordOptions } from "./_client/password.ts";
import { serverOptions } from "./_client/session.ts";

const { passwordFile } = passwordOptions;

export default command({
  options: {
    remote: optionalArgument("barge://NAME@HOST:PORT", "The server, in place of --server"),
    register: flag("Make the account first, if the server allows it"),
    quota: value(size(), "With --register: the quota to ask for"),
    keepGoing: flag("With commands from a pipe: continue when one fails"),
    ...serverOptions,
    passwordFile,
  },
  about:
    `Logs in with the saved login, or asks for the password, and then takes commands, one a line:
    ls, mine, public, left, get, put, cat, publish, claim, rm, mv, cp, mkdir, cd, pwd, lcd, lpwd,
    lls, stat, digest, grow, passwd, register, clear, menu, help, exit, and !COMMAND for this
    machine's shell. \`help COMMAND\` explains one. Without arguments it begins with a numbered menu
    of common commands; without a saved login it first asks whether to log in or to make an account.

    Tab completes names on this machine and at the server. Ctrl-C stops a transfer; the same command
    resumes it. Lines are saved in $XDG_STATE_HOME/barge/history, without passwords.

    With commands from a pipe there is no prompt, lines that start with # are skipped, and the first
    failure ends the shell with its exit code.`,
  examples: [
    ["barge shell barge://alice@files.example", "enter the password and log in"],
    ["barge shell --register barge://bob@files.example", "make the account bob and log in"],
    ["printf 'put a.txt\\nleft\\n' | barge shell", "two commands on one connection"],
  ],
  async run(options, { signal, sources }) {
    const { remote, server, json, debug, keepGoing } = options;
    const { canAsk } = await import("./_term/prompt.ts");
    const { openLink } = await import("./_shell/login.ts");
    const { interact, runScript } = await import("./_shell/loop.ts");
    const menu = remote === undefined && server === undefined && !options.register && canAsk();
    const register = options.register || (menu && await wantsAccount(signal));
    const choice = { ...options, register, server: argumentOrOption(remote, server, sources) };
    await using link = await openLink(choice, signal);
    if (canAsk()) return await interact(link, { json, debug, signal, menu });
    return await runScript(link, Deno.stdin.readable, { json, debug, signal, keepGoing });
  },
});

/** Asks whether to make an account first, if there is no saved login. */
async function wantsAccount(signal: AbortSignal): Promise<boolean> {
  const { readLogins } = await import("./_client/logins.ts");
  if (readLogins().length > 0) return false;
  const { askText } = await import("./_term/prompt.ts");
  for (;;) {
    const answer = await askText("1 log in, 2 make an account, 0 leave", signal);
    if (answer === "1" || answer === "2") return answer === "2";
    if (answer === "0") throw new BargeError("interrupted", "nothing was done");
  }
}
