/**
 * The page barge.toml(5): the keys of the server's file. Their order and their groups are those of the
 * complete example in docs/configuration.md; their explanations are the help of `barge serve`.
 */
import { type AnyCommand, longName, type Option } from "../../../cmd/_term/command.ts";
import {
  bold,
  escape,
  example,
  header,
  italic,
  paragraphs,
  reference,
  section,
  type Term,
  terms,
} from "./roff.ts";
import { verbReference } from "./verb_page.ts";

const about =
  `The configuration of \`barge serve\` (\`--config FILE\` or \`BARGE_CONFIG\`), in TOML, version 1.0. A file
needs only the options that differ from the defaults. The environment overrides the file, and the command line
overrides both.

Numbers stand without quotes, flags are \`true\` or \`false\`, and all other values are strings in quotes. A size is a
string with a unit, as in "20GiB", or a number of bytes. An option that may be repeated takes a string or an array of
strings. A relative path belongs to the folder of the file, and a path that begins with \`~/\` to the home.

An unknown key and a value of another type are errors. A file that every user can write is refused.
\`barge config check FILE\` lists all faults of a file, and \`barge config show\` the values in force with their
sources.

SIGHUP (\`systemctl reload barge\`) reads the file again. The table \`[limits]\`, \`allow-register\`, \`require-totp\`,
\`log-level\`, \`proxy-cert\` and the files of the certificate change at once. The log names changes that need a restart.`;

const client =
  `The client reads \`$XDG_CONFIG_HOME/barge/config.toml\`, or \`~/.config/barge/config.toml\`. The options
at its top count for all verbs that connect to a server. A table with the name of a verb, as in \`[put]\`, holds
options of that verb. Their names are the long names in the pages of the verbs.`;

/** A group of keys in the complete example of docs/configuration.md. */
interface Group {
  readonly title: string;
  readonly keys: readonly string[];
}

/**
 * Returns the page.
 *
 * @param serve the verb, whose options are the keys
 * @param doc the text of docs/configuration.md
 * @throws {Error} for a key of the example that is no option
 */
export function tomlPage(
  { version, time }: { readonly version: string; readonly time: number },
  serve: AnyCommand,
  doc: string,
): string {
  const [short, full, clientFile] = Array.from(
    doc.matchAll(/^```toml\n(.*?)^```$/gms),
    ([, s]) => s,
  );
  const options = new Map(
    Object.values<Option<unknown>>(serve.options)
      .map((option) => [longName(option.names).replace(/^--/, ""), option]),
  );
  const termOf = (key: string): Term => {
    const option = options.get(key);
    if (option === undefined) {
      throw new Error(`docs/configuration.md: ${key} is no option of serve`);
    }
    return [`${bold(key)} = ${valueOf(option)}`, option.help];
  };
  const groups = groupsOf(full);
  const title = "configuration of the barge server";
  return [
    header({ name: "barge.toml", section: 5, version, time, brief: title }),
    section("SYNOPSIS", `.I ${escape("/etc/barge/barge.toml")}`),
    section("DESCRIPTION", paragraphs(about)),
    section(
      "OPTIONS",
      ...groups.map((group) => `.SS ${escape(group.title)}\n${terms(group.keys.map(termOf))}`),
    ),
    section("CLIENT", paragraphs(client), example("For example:", clientFile.trimEnd())),
    section("EXAMPLES", example("A server that other machines reach:", short.trimEnd())),
    section(
      "SEE ALSO",
      [verbReference(["serve"]), verbReference(["config", "check"]), reference("barge", 1)].join(
        ",\n",
      ),
    ),
    "",
  ].join("\n");
}

/** Reads `# --- title ---` and `[limits]` as beginnings of groups, and `#key = value` as keys. */
function groupsOf(text: string): Group[] {
  const groups: { title: string; keys: string[] }[] = [];
  for (const row of text.split("\n")) {
    const [, title] = /^# --- (.+?) ---$/.exec(row) ?? /^(\[[a-z]+\])/.exec(row) ?? [];
    const [, key] = /^#?([a-z-]+) = /.exec(row) ?? [];
    if (title !== undefined) groups.push({ title: capitalized(title), keys: [] });
    else if (key !== undefined) groups.at(-1)?.keys.push(key);
  }
  return groups;
}

/** Returns the value of an option, as its type and its name: "SIZE". */
function valueOf({ kind, parser }: Option<unknown>): string {
  if (kind === "flag") return `${italic("true")}|${italic("false")}`;
  const number = ["integer", "float"].some((type) => parser.types?.some((other) => other === type));
  const value = number ? italic(parser.metavar) : `\\(dq${italic(parser.metavar)}\\(dq`;
  return kind === "values" ? `[${value}, ...]` : value;
}

function capitalized(text: string): string {
  return text[0].toUpperCase() + text.slice(1);
}
