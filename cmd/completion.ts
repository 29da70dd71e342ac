/**
 * `barge completion`: prints a shell's completion script. The script calls it again, with the words
 * that are on the command line behind the shell's name, and is answered with suggestions. Only the
 * verb that is being completed is loaded.
 */
import { bash, fish, nu, pwsh, type ShellCompletion, zsh } from "@optique/core/completion";
import { suggest, type Suggestion } from "@optique/core/parser";
import { command, type Group, type Tree, type Verb } from "./_term/command.ts";
import { argumentOf, oneOf, rest, words } from "./_term/options.ts";
import { parserOf } from "./_term/optique.ts";
import { writeStdout } from "./_term/out.ts";

const shells: Record<string, ShellCompletion> = { bash, zsh, fish, pwsh, nu };

export default command({
  options: {
    shell: argumentOf(oneOf("bash", "zsh", "fish", "pwsh", "nu"), "Your shell"),
    words: rest(),
  },
  usage: "bash|zsh|fish|pwsh|nu",
  about: `Prints a script that teaches your shell to complete barge's verbs, options and files.`,
  examples: [
    ['eval "$(barge completion bash)"', "for this shell; in ~/.bashrc, for all"],
    ["barge completion zsh > ~/.zfunc/_barge", "for zsh, where fpath has ~/.zfunc"],
    ["barge completion fish > ~/.config/fish/completions/barge.fish", "for fish"],
  ],
  async run({ shell: name, words }, { tree }) {
    const shell = shells[name];
    const chunks = words.length === 0
      ? [shell.generateScript("barge", ["completion", name])]
      : shell.encodeSuggestions(await suggestions(tree, words));
    // The library's script for zsh expects a line for each suggestion, but its encoder writes no
    // line ends.
    const between = name === "zsh" && words.length > 0 ? "\n" : "";
    writeStdout(new TextEncoder().encode([...chunks].join(between)));
  },
});

/** What could stand in the place of the last word. */
async function suggestions(
  tree: Tree,
  line: readonly string[],
  whole = tree,
): Promise<readonly Suggestion[]> {
  const [first, ...rest] = line;
  if (first === "help" && tree === whole && rest.length > 0) return verbs(tree, rest);
  const row: Partial<Verb & Group> | undefined = Object.hasOwn(tree, first)
    ? tree[first]
    : undefined;
  if (rest.length === 0) {
    const more = tree === whole && "help".startsWith(first) ? [help] : [];
    return [...names(tree, first), ...more];
  }
  if (!row) return [];
  const deeper = row.verbs ? await suggestions(row.verbs, rest, whole) : [];
  const named = row.verbs && Object.hasOwn(row.verbs, rest[0]) && rest.length > 1;
  if (!row.load || named) return deeper;
  const { default: command } = await row.load();
  return [...deeper, ...suggest(parserOf(command.options), [rest[0], ...rest.slice(1)])];
}

const help: Suggestion = { kind: "literal", text: "help", description: words("explain a verb") };

/** Suggests arguments of `barge help`: verbs without options. */
function verbs(tree: Tree, [first, ...rest]: readonly string[]): Suggestion[] {
  if (rest.length === 0) return names(tree, first);
  const row: Partial<Group> | undefined = Object.hasOwn(tree, first) ? tree[first] : undefined;
  return row?.verbs ? verbs(row.verbs, rest) : [];
}

function names(tree: Tree, prefix: string): Suggestion[] {
  return Object.entries(tree).filter(([name]) => name.startsWith(prefix))
    .map(([text, { brief }]) => ({ kind: "literal", text, description: words(brief) }));
}
