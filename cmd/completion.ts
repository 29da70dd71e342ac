/**
 * `barge completion`: prints a shell's completion script. The script calls `barge completion SHELL
 * WORDS...` again for each completion and reads the suggestions for the last word.
 */
import { bash, fish, nu, pwsh, type ShellCompletion, zsh } from "@optique/core/completion";
import {
  type AnyCommand,
  argument,
  type Context,
  type Group,
  rest,
  type Tree,
  type ValuesOf,
  type Verb,
} from "./_term/command.ts";
import { writeStdout } from "./_term/out.ts";
import { type Suggestion, suggestWords } from "./_term/suggest.ts";
import { oneOf } from "./_term/value.ts";

const shells: Record<string, ShellCompletion> = { bash, zsh, fish, pwsh, nu };

const options = {
  shell: argument(oneOf("bash", "zsh", "fish", "pwsh", "nu"), "Your shell"),
  words: rest(),
};

export default {
  options,
  about: `Prints a script with which your shell completes the verbs, options and files of barge.`,
  examples: [
    ['eval "$(barge completion bash)"', "for this shell, or for all from ~/.bashrc"],
    ["barge completion zsh > ~/.zfunc/_barge", "for zsh, if fpath has ~/.zfunc"],
    ["barge completion fish > ~/.config/fish/completions/barge.fish", "for fish"],
  ],
  async run({ shell: name, words }: ValuesOf<typeof options>, { tree }: Context) {
    const shell = shells[name];
    const chunks = words.length === 0
      ? [shell.generateScript("barge", ["completion", name])]
      : shell.encodeSuggestions((await suggestions(tree, words)).map(forShell));
    // The library's script for zsh expects a line for each suggestion, but its encoder writes no
    // line ends.
    const between = name === "zsh" && words.length > 0 ? "\n" : "";
    writeStdout(new TextEncoder().encode([...chunks].join(between)));
  },
} satisfies AnyCommand;

/** Returns the suggestions for the last word. */
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
  return [...deeper, ...suggestWords(command.options, rest)];
}

/** Returns a suggestion in the library's form. */
function forShell(suggestion: Suggestion): Parameters<ShellCompletion["encodeSuggestions"]>[0][0] {
  if (suggestion.kind === "file") return suggestion;
  const { text, description = "" } = suggestion;
  return { kind: "literal", text, description: [{ type: "text", text: description }] };
}

const help: Suggestion = { kind: "literal", text: "help", description: "explain a verb" };

/** Suggests arguments of `barge help`: verbs without options. */
function verbs(tree: Tree, [first, ...rest]: readonly string[]): Suggestion[] {
  if (rest.length === 0) return names(tree, first);
  const row: Partial<Group> | undefined = Object.hasOwn(tree, first) ? tree[first] : undefined;
  return row?.verbs ? verbs(row.verbs, rest) : [];
}

function names(tree: Tree, prefix: string): Suggestion[] {
  return Object.entries(tree).filter(([name]) => name.startsWith(prefix))
    .map(([text, { brief }]) => ({ kind: "literal", text, description: brief }));
}
