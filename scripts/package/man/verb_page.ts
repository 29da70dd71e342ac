/** The page of a verb, from the data that its `--help` prints. */
import { type AnyCommand, type Option, usageOf, variableOf } from "../../../cmd/_term/command.ts";
import { exitStatus } from "./exit_status.ts";
import {
  bold,
  escape,
  example,
  header,
  italic,
  paragraphs,
  reference,
  section,
  styled,
  type Term,
  terms,
} from "./roff.ts";

/** A verb or a group of verbs with the facts of its page. */
export interface PageFacts {
  /** The words that call it: `user add`. */
  readonly words: readonly string[];
  readonly brief: string;
  readonly version: string;
  /** The time of the commit, in seconds since 1970. */
  readonly time: number;
  /** The pages beside it, as `barge-put(1)` in roff. */
  readonly related: readonly string[];
}

/** Returns the name of the page of a verb: `barge-user-add`. */
export function pageName(words: readonly string[]): string {
  return ["barge", ...words].join("-");
}

/** Returns a reference to the page of a verb. */
export function verbReference(words: readonly string[]): string {
  return reference(pageName(words), 1);
}

/** Returns the page of a verb. @param verbs the verbs of the group with the same name, if there is one */
export function verbPage(facts: PageFacts, command: AnyCommand, verbs: readonly Term[]): string {
  const { words, brief, related, version, time } = facts;
  const options = Object.values<Option<unknown>>(command.options)
    .filter(({ kind }) => kind !== "rest");
  const named = options.filter(({ names }) => names.length > 0);
  const positional = options.filter(({ names }) => names.length === 0);
  const usage = [bold(["barge", ...words].join(" ")), "[\\fIOPTIONS\\fR]"];
  const last = usageOf(command);
  if (last !== "") usage.push(escape(last).replace(/[A-Z]{2,}/g, "\\fI$&\\fR"));
  return [
    header({ name: pageName(words), section: 1, version, time, brief }),
    section("SYNOPSIS", usage.join(" "), ...verbs.length > 0 ? [".br", groupUsage(words)] : []),
    section("DESCRIPTION", paragraphs(command.about)),
    ...verbs.length > 0 ? [section("VERBS", terms(verbs))] : [],
    ...positional.length > 0 ? [section("ARGUMENTS", terms(positional.map(argumentTerm)))] : [],
    section(
      "OPTIONS",
      paragraphs("Behind each option stands the variable of the environment that also sets it."),
      terms(named.map(optionTerm)),
    ),
    section(
      "EXAMPLES",
      ...command.examples.map(([line, purpose]) => example(`${capitalized(purpose)}:`, line)),
    ),
    exitStatus(),
    section("SEE ALSO", related.join(",\n")),
    "",
  ].join("\n");
}

/** Returns the page of a group of verbs that has no verb of its own name. */
export function groupPage(facts: PageFacts, verbs: readonly Term[]): string {
  const { words, brief, related, version, time } = facts;
  return [
    header({ name: pageName(words), section: 1, version, time, brief }),
    section("SYNOPSIS", groupUsage(words)),
    section("DESCRIPTION", paragraphs("Each of these verbs has a page of its own."), terms(verbs)),
    exitStatus(),
    section("SEE ALSO", related.join(",\n")),
    "",
  ].join("\n");
}

/** Returns an option with its value and its variable. */
export function optionTerm({ kind, names, help, parser }: Option<unknown>): Term {
  const value = kind === "flag" || parser.metavar === "" ? "" : ` ${italic(parser.metavar)}`;
  return [`${names.map(bold).join(", ")}${value}`, `${help} [${variableOf(names)}]`];
}

function argumentTerm({ help, parser }: Option<unknown>): Term {
  return [italic(parser.metavar), help];
}

function groupUsage(words: readonly string[]): string {
  const called = bold(["barge", ...words].join(" "));
  return `${called} \\fIVERB\\fR [\\fIOPTIONS\\fR] [\\fIARGUMENTS\\fR]`;
}

function capitalized(text: string): string {
  return styled(text).startsWith("\\fB") ? text : text[0].toUpperCase() + text.slice(1);
}
