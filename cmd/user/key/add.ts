/** `barge user key add`: lets an account log in with a public key. */
import { type AuthorizedKey, parseAuthorizedKeys } from "../../../core/account/authorized_key.ts";
import { fingerprintOf } from "../../../core/account/keys.ts";
import { BargeError, typed } from "../../../core/error.ts";
import { openAccounts } from "../../_data/accounts.ts";
import { command } from "../../_term/command.ts";
import { args, argument, common, dataOption } from "../../_term/options.ts";
import { note, printJson } from "../../_term/out.ts";

/** More than any `authorized_keys` file has. */
const most = 1024 * 1024;

export default command({
  options: {
    name: argument("NAME", "The account"),
    key: args("KEY|FILE", "A key's line, or a file with such lines; none, or -: standard input", 0),
    data: dataOption(),
    ...common,
  },
  usage: "NAME [KEY|FILE]",
  about: `Lets an account log in at the SFTP door with a key pair in place of its password. A key is
    given as a line of an authorized_keys file, or of a file that ends with .pub; a file may have
    several. Accepted are ed25519, ECDSA, and RSA keys of 2048 bits or more.

    Options before a key that forbid what barge never allows (no-pty, restrict) are passed over
    with a note. Those that would limit the key (from=, command=, expiry-time=) are refused.`,
  examples: [
    ["barge user key add alice ~/.ssh/id_ed25519.pub", "let alice in with that key"],
    ["barge user key add alice 'ssh-ed25519 AAAA... alice@laptop'", "the same, by its line"],
    ["barge user key add alice < ~alice/.ssh/authorized_keys", "all keys that she has elsewhere"],
  ],
  async run({ name, key, data, json }) {
    const keys = await readKeys(key.join(" "));
    using open = await openAccounts(data);
    const { id } = open.accounts.get(name);
    const added = open.db.transaction(() => keys.map((key) => open.keys.add(id, key)));
    for (const [i, { type, blob, comment, ignored }] of keys.entries()) {
      const fingerprint = fingerprintOf(blob);
      if (json) printJson({ type, fingerprint, comment, added: added[i] });
      else if (added[i]) note(`${name} may log in with ${type} ${fingerprint} ${comment}`.trim());
      else note(`${name} has ${fingerprint} already`);
      if (ignored.length > 0) note(`ignored: ${ignored.join(",")}: it is never allowed anyway`);
    }
  },
});

async function readKeys(source: string): Promise<AuthorizedKey[]> {
  const stdin = source === "" || source === "-";
  const line = /\s/.test(source.trim()) && /\s(AAAA|[A-Za-z0-9+/=]{40})/.test(source);
  const facts = { op: "read key", path: stdin ? "standard input" : line ? undefined : source };
  try {
    const text = stdin
      ? await new Response(Deno.stdin.readable).text()
      : line
      ? source
      : await readFile(source);
    const keys = parseAuthorizedKeys(text);
    if (keys.length > 0) return keys;
    throw new BargeError("usage", "there is no key in it", {
      hint: "a line looks like `ssh-ed25519 AAAA... name@host`",
    });
  } catch (error) {
    throw typed(error, facts);
  }
}

async function readFile(path: string): Promise<string> {
  const { size } = await Deno.stat(path);
  if (size > most) throw new BargeError("usage", "that is no file of keys: it is too long");
  return await Deno.readTextFile(path);
}
