/** `barge user key add`: lets an account log in with a public key. */
import {
  type AuthorizedKey,
  fingerprintOf,
  parseAuthorizedKeys,
} from "../../../core/storage/public_key.ts";
import { BargeError, typed } from "../../../core/error.ts";
import { accountsOptions, openAccounts } from "../../_data/accounts.ts";
import { args, argument, command } from "../../_term/command.ts";
import { note, printJson } from "../../_term/out.ts";

/** The largest file of keys that is read. */
const maxKeyFileBytes = 1024 * 1024;

export default command({
  options: {
    name: argument("NAME", "The account"),
    key: args(
      "KEY|FILE",
      "A key in one line, or a file of such lines. Default, and -: standard input",
      0,
    ),
    ...accountsOptions,
  },
  usage: "NAME [KEY|FILE]",
  about: `Lets an account log in at the SFTP door with a key pair in place of its password. A key is
    a line of an authorized_keys file or of a .pub file; a file may hold several. The types are
    ed25519, ECDSA, and RSA of 2048 bits or more.

    Options before a key are ignored with a note if they forbid something that barge never allows
    (no-pty, restrict). Options that would limit the key (from=, command=, expiry-time=) are refused.`,
  examples: [
    ["barge user key add alice ~/.ssh/id_ed25519.pub", "let alice log in with that key"],
    [
      "barge user key add alice 'ssh-ed25519 AAAA... alice@laptop'",
      "the same, with the key itself",
    ],
    ["barge user key add alice < ~alice/.ssh/authorized_keys", "all keys of her system account"],
  ],
  async run(values) {
    const { name, key, json } = values;
    const keys = await readKeys(key.join(" "));
    await using stores = await openAccounts(values);
    const { id } = await stores.accounts.get(name);
    const added = await stores.logins.addKeys(id, keys);
    for (const [i, { type, blob, comment, ignored }] of keys.entries()) {
      const fingerprint = fingerprintOf(blob);
      if (json) printJson({ type, fingerprint, comment, added: added[i] });
      else if (added[i]) note(`${name} may log in with ${type} ${fingerprint} ${comment}`.trim());
      else note(`${name} has ${fingerprint} already`);
      if (ignored.length > 0) note(`ignored: ${ignored.join(",")}: barge never allows it anyway`);
    }
  },
});

async function readKeys(source: string): Promise<AuthorizedKey[]> {
  const isStdin = source === "" || source === "-";
  const isLine = /\s/.test(source.trim()) && /\s(AAAA|[A-Za-z0-9+/=]{40})/.test(source);
  const facts = { op: "read key", path: isStdin ? "standard input" : isLine ? undefined : source };
  try {
    const text = isStdin
      ? await new Response(Deno.stdin.readable).text()
      : isLine
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
  if (size > maxKeyFileBytes) {
    throw new BargeError("usage", "the file is too long for a file of keys");
  }
  return await Deno.readTextFile(path);
}
