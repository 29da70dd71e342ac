/** The page barge(1). */
import { optionSources, purpose } from "../../../cmd/_term/overview.ts";
import { exitStatus } from "./exit_status.ts";
import {
  bold,
  example,
  header,
  italic,
  paragraphs,
  reference,
  section,
  type Term,
  terms,
} from "./roff.ts";
import type { PageFacts } from "./verb_page.ts";

const about =
  `barge is both a server and its client. The server has accounts with exact quotas, and speaks
its own protocol, HTTP (a web page, an API, WebDAV), FTP and SFTP. The client is made for shells and cron.

An upload is acknowledged when it is complete, hashed with SHA-256, synced to disk and renamed into place; until
then the old file stays. An upload that was cut off can be resumed.

Data goes to standard output, everything else to standard error. Field names of \`--json\` and exit codes are stable.

${optionSources}`;

const variables: readonly (readonly [name: string, text: string])[] = [
  ["BARGE_SERVER", "The server of the client's verbs, as in `barge://alice@box.example`."],
  ["BARGE_PASSWORD", "The password of the account. No command line takes it."],
  ["BARGE_DATA", "The data directory of the server and of the verbs that manage accounts."],
  ["BARGE_CONFIG", "The configuration file of the server."],
  ["NO_COLOR", "If it is set, nothing is colored."],
];

const files: readonly (readonly [path: string, text: string])[] = [
  ["/etc/barge/barge.toml", "The configuration of the server that a Debian package installs."],
  ["/var/lib/barge", "The data directory of that server."],
  ["~/.config/barge/config.toml", "The configuration of the client."],
  ["~/.config/barge/logins.json", "The saved logins of the client."],
  ["~/.local/share/barge", "The data directory of a server that names no other."],
];

/** Returns the page. @param verbs the verbs of the top level */
export function programPage(
  { version, time, related }: Pick<PageFacts, "version" | "time" | "related">,
  verbs: readonly Term[],
): string {
  return [
    header({ name: "barge", section: 1, version, time, brief: purpose }),
    section(
      "SYNOPSIS",
      `${bold("barge")} ${italic("VERB")} [${italic("OPTIONS")}] [${italic("ARGUMENTS")}]`,
      ".br",
      `${bold("barge help")} [${italic("VERB")}]`,
      ".br",
      bold("barge --version"),
    ),
    section("DESCRIPTION", paragraphs(about)),
    section("VERBS", terms(verbs)),
    section("ENVIRONMENT", terms(variables.map(([name, text]) => [bold(name), text]))),
    section("FILES", terms(files.map(([path, text]) => [italic(path), text]))),
    section(
      "EXAMPLES",
      example("Start a server on this machine:", "barge serve"),
      example(
        "Log in and send a folder:",
        "barge login barge://alice@box.example\nbarge put -r photos /home/",
      ),
      example("Send the output of a program:", "tar c photos | barge put - /home/photos.tar"),
    ),
    exitStatus(),
    section("SEE ALSO", [...related, reference("barge.toml", 5)].join(",\n")),
    "",
  ].join("\n");
}
