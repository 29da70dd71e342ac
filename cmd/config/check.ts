/** `barge config check`: checks a configuration file. */
import { BargeError } from "../../core/error.ts";
import { checkClientFile } from "../_config/client_file.ts";
import { clientFileName, configPath } from "../_config/path.ts";
import { checkServerFile } from "../_config/server_file.ts";
import { placeOf, type Problem } from "../_config/setting.ts";
import { checkTogether } from "../_serve/check.ts";
import { checkPartners } from "../_serve/partners.ts";
import { command, flag, optionalArgument } from "../_term/command.ts";
import { exitCodes } from "../_term/exit.ts";
import { note, printJson, printLine } from "../_term/out.ts";
import { valuesOf } from "../_term/parse.ts";
import { path } from "../_term/value.ts";
import serve from "../serve.ts";

export default command({
  options: {
    file: optionalArgument(path("FILE"), "The file; with --client by default that of the client"),
    client: flag("Check a file of the client: $XDG_CONFIG_HOME/barge/config.toml"),
  },
  about:
    `Checks the file of \`barge serve --config FILE\`: its TOML, the names, types and values of its
    options, and options that exclude or need each other. The exit code is 2 if there is a fault. Each
    fault is a line with the file, the line and the column. The files that it names, such as
    certificates, are not read, and the environment does not count. If the file needs options that only
    the command line of \`serve\` has, check both with \`barge doctor --config FILE\`.

    The configuration of a server has its options under their names, for instance
    \`native = "0.0.0.0:7171"\`, and in the table [limits] those from --quota to --rate-down. The
    client's file has options for all its verbs, such as \`server = "barge://alice@box"\`, and a table
    for each verb, such as [put]. docs/configuration.md lists them all.

    With --json it prints one object: file, ok, and problems with line, column, key, message, hint.`,
  examples: [
    ["barge config check /etc/barge/barge.toml", "check the file of a server"],
    ["barge config check --client", "check your own"],
  ],
  async run({ file: named, client, json }, { tree }) {
    const file = named ?? (client ? configPath(clientFileName) : undefined);
    if (file === undefined) {
      throw new BargeError("usage", "no file is named", { hint: "name it, or use --client" });
    }
    const problems = client ? await checkClientFile(file, tree) : serverProblems(file);
    if (json) {
      printJson({ file, ok: problems.length === 0, problems: problems.map(fields) });
    } else if (problems.length === 0) {
      note(`${file} is valid`);
    }
    for (const { position, message, hint } of json ? [] : problems) {
      printLine(`${placeOf(file, position)}: ${message}${hint ? ` (${hint})` : ""}`);
    }
    return problems.length === 0 ? 0 : exitCodes.usage;
  },
});

const checkedAlone =
  "the file is checked alone: `barge doctor --config FILE` takes the options of a command line, too";

/** Returns the faults of a server's file. Options are checked together once each is valid. */
function serverProblems(file: string): readonly Problem[] {
  const { sources, problems } = checkServerFile(file, serve.options);
  if (problems.length > 0) return problems;
  try {
    checkPartners(serve.options, sources);
    checkTogether(valuesOf("serve", serve, sources));
    return [];
  } catch (error) {
    if (!(error instanceof BargeError) || error.kind !== "usage") throw error;
    const hint = error.hint ? `${error.hint}; ${checkedAlone}` : checkedAlone;
    return [{ message: [error.op, error.message].filter(Boolean).join(": "), hint }];
  }
}

function fields({ position, key, message, hint }: Problem) {
  const { line = null, column = null } = position ?? {};
  return { line, column, key: key ?? null, message, hint: hint ?? null };
}
