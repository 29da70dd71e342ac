/** The help of the program and of groups of verbs, and the failure of an unknown verb. */
import { BargeError } from "../../core/error.ts";
import type { Tree } from "./command.ts";
import { print } from "./out.ts";
import { isLikeAddress } from "./server_address.ts";
import { didYouMean } from "./similar.ts";

/** The purpose of the program. */
export const purpose = "moves files between people and machines, with accounts and quotas";

/** The sources of options beside the command line. */
export const optionSources = `\
Each option can also be set in the environment: --dry-run as BARGE_DRY_RUN=1. \`serve\` and the verbs
of the client also read configuration files: see \`barge help config check\`.`;

export function printOverview(tree: Tree, version: string): void {
  print(`barge ${version}: ${purpose}.

Usage: barge VERB [OPTIONS] [ARGUMENTS]

${rows(tree)}

  barge help VERB       explains one of them
  barge --version       prints the version

${optionSources}
Exit codes: 0 ok, 1 other, 2 usage, 3 no such directory, 4 no such file, 5 worth retrying,
6 not worth retrying, 7 fatal, 11 not allowed, 12 over quota, 13 digest differs, 14 exists,
15 identity, 130 interrupted.`);
}

export function printGroup(name: string, brief: string, verbs: Tree): void {
  print(`Usage: barge ${name} VERB [OPTIONS] [ARGUMENTS]   (${brief})

${rows(verbs)}

  barge help ${name} VERB   explains one of them`);
}

/** @param runs whether the name of the group alone is a verb */
export function unknownVerb(
  word: string,
  group: readonly string[],
  known: string[],
  runs: boolean,
): BargeError {
  const where = ["barge", ...group].join(" ");
  const isOption = word.startsWith("-");
  const why = isOption ? "options come after the verb" : "there is no such verb";
  const list = `\`${["barge", "help", ...group].join(" ")}\` lists the verbs`;
  const words = isOption ? ["--help", "--version"] : known;
  const hint = runs && isLikeAddress(word)
    ? `use \`${where} --server ${word}\``
    : didYouMean(word, words, list, (near) => `\`${where} ${near}\``);
  return new BargeError("usage", why, { op: group.join(" ") || undefined, path: word, hint });
}

function rows(tree: Tree): string {
  const width = Math.max(...Object.keys(tree).map((name) => name.length));
  return Object.entries(tree)
    .map(([name, { brief }]) => `  ${name.padEnd(width)}  ${brief}`).join("\n");
}
