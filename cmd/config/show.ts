/** `barge config show`: shows the options of a verb in force, and where each comes from. */
import { BargeError } from "../../core/error.ts";
import { isClient } from "../_config/client_file.ts";
import { readCommand } from "../_config/read.ts";
import { hiddenOption, type ShownOption, shownOptions } from "../_config/shown.ts";
import { secretVariables } from "../_data/storage_options.ts";
import { webhookSecretVariable } from "../_serve/events.ts";
import {
  type AnyCommand,
  type Common,
  type Context,
  type Group,
  type Option,
  optionalArgument,
  type Tree,
  type Verb,
} from "../_term/command.ts";
import { printJson } from "../_term/out.ts";
import type { Sources } from "../_term/source.ts";
import { printTable } from "../_term/table.ts";
import { plain } from "../_term/value.ts";
import serve from "../serve.ts";

export default {
  options: {
    verb: optionalArgument(plain("VERB"), "`serve`, or a verb of the client. Default: serve"),
    ...serve.options,
  },
  readFiles: serve.readFiles,
  usage: "[VERB]",
  about: `Shows each option of a verb with the value in force and its source: the default, a file
    (with line and column), the environment, or the command line. The command line overrides the
    environment, and both override the files.

    Without a verb the options are those of a server that is started with the same options, in the
    same environment. For a verb of the client, such as \`put\`, the file is
    $XDG_CONFIG_HOME/barge/config.toml. Secrets are not shown, only their sources.

    With --json it prints one object a line: option, table, value, text, source, from, reloads.`,
  examples: [
    ["barge config show --config /etc/barge/barge.toml", "the options of that server"],
    ["barge config show put", "the options of `barge put`, with the file of the client"],
  ],
  async run(
    { verb, ...values }: { readonly verb?: string } & Common,
    { sources, tree }: Context,
  ) {
    const shown = verb === undefined || verb === "serve"
      ? [
        ...shownOptions(serve.options, values, sources),
        ...shownSecrets([...secretVariables, webhookSecretVariable]),
      ]
      : await shownOf(verb, sources, tree);
    if (values.json) return shown.forEach(printJson);
    const rows = shown.map(({ option, text, source, from }) => [option, text, from ?? source]);
    printTable(["OPTION", "VALUE", "SOURCE"], rows);
  },
} satisfies AnyCommand;

/** Returns those of the variables with secrets that are set. */
function shownSecrets(variables: readonly string[]): ShownOption[] {
  return variables.filter((name) => Deno.env.get(name)).map(hiddenOption);
}

/**
 * Returns the options of a client's verb.
 *
 * @param given the sources of the options on the command line, which are those of `serve`
 * @throws {BargeError} `usage` for another verb, and for options of `serve`
 */
async function shownOf(verb: string, given: Sources, tree: Tree): Promise<ShownOption[]> {
  const command = await loadVerb(verb, tree);
  if (!command || !isClient(command)) {
    throw new BargeError("usage", "this is not a verb that reads a configuration file", {
      path: verb,
      hint: "use `serve`, or a verb that connects to a server, such as `put`",
    });
  }
  const own = new Set(["verb", "json", "debug"]);
  const other = [...given].find(([key, { origin }]) => origin === "command line" && !own.has(key));
  if (other) {
    throw new BargeError("usage", `${other[1].at} is an option of \`serve\``, { path: verb });
  }
  const entries = Object.entries<Option<unknown>>(command.options)
    .filter(([, { names }]) => names.length > 0);
  const options = Object.fromEntries(entries);
  const { values, sources } = await readCommand(verb, { ...command, options }, [], tree);
  const shown = shownOptions(options, values as Readonly<Record<string, unknown>>, sources);
  return [...shown, ...shownSecrets(["BARGE_PASSWORD", "BARGE_NEW_PASSWORD"])];
}

/** Loads a verb by its words; undefined if there is none of that name. */
async function loadVerb(verb: string, tree: Tree): Promise<AnyCommand | undefined> {
  let row: Partial<Verb & Group> = { verbs: tree };
  for (const word of verb.split(" ")) {
    const verbs: Tree = row.verbs ?? {};
    if (!Object.hasOwn(verbs, word)) return undefined;
    row = verbs[word];
  }
  return (await row.load?.())?.default;
}
