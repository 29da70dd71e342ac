/** `barge token add`: makes a token, with limits. */
import { entryAt } from "../../core/client/stat.ts";
import { issueToken } from "../../core/client/token.ts";
import { BargeError } from "../../core/error.ts";
import { argument, flag, value, values } from "../_term/command.ts";
import { end, listOf, plain } from "../_term/value.ts";
import { note, print, printJson } from "../_term/out.ts";
import { sessionCommand } from "../_client/session.ts";
import { scopeDoors } from "../../core/protocol/scope.ts";

export default sessionCommand({
  options: {
    name: argument("NAME", "The purpose of the token, which lists show"),
    readOnly: flag("The token can only read"),
    appendOnly: flag("The token can make new files and folders, and change nothing that exists"),
    path: value(
      plain("PATH"),
      "The only path that the token reaches, with all below it. Default: /home and /public",
    ),
    doors: value(
      listOf(...scopeDoors),
      "The protocols that accept the token, with commas between them. Default: all",
    ),
    from: values(
      plain("CIDR"),
      "An address or network that it may be used from; may be repeated. Default: any",
    ),
    expires: value(end(), "When it ends. Default: never"),
  },
  about:
    `Makes a token of your account and prints it. A token serves in place of the password at every
    door; only its creation shows it. With limits, it is what a backup job or a script should have:
    see docs/tokens.md.

    With --read-only, --append-only or --path, the token is for files alone: it makes no share
    links and no tokens, and does nothing that only admins do. A token that was made in a login with
    a token has at most the limits of that one, and ends with it.

    Verbs take the token where they take a password: in a file for --password-file, or in
    BARGE_PASSWORD. \`barge login\` saves it.`,
  examples: [
    ["barge token add backup --append-only --path /home/backups", "a token for a backup job"],
    ["barge token add ci --read-only --from 10.0.0.0/8 --expires 90d", "one that ends"],
  ],
  async run(values, { client }) {
    const { name, readOnly, appendOnly, path, doors, from, expires, json } = values;
    if (readOnly && appendOnly) {
      throw new BargeError("usage", "--read-only and --append-only exclude each other");
    }
    const { id, token } = await issueToken(client, name, {
      access: readOnly ? "read-only" : appendOnly ? "append-only" : undefined,
      path,
      doors: doors && [...doors],
      from: from.length > 0 ? [...from] : undefined,
      expires: expires === undefined ? undefined : new Date(expires).toISOString(),
    }).catch((error) => {
      throw withOption(error, path);
    });
    if (json) printJson({ id, token });
    else print(token);
    if (!json) note(`made the token ${id}; it can't be shown again`);
    // The token is made already: a failure to look at the path is no failure of the command.
    const isMissing = path !== undefined &&
      await entryAt(client, path).then((e) => !e, () => false);
    if (isMissing) note(`${path} does not exist yet`);
  },
});

/** Returns a refusal of the path with the name of its option. */
function withOption(error: unknown, path: string | undefined): unknown {
  if (!(error instanceof BargeError) || path === undefined || error.path !== path) return error;
  return error.replacing({ op: "token add", path: `--path ${path}` });
}
