/** Reads the accounts that a file declares, for `user apply`. */
import { dirname, resolve } from "node:path";
import * as v from "valibot";
import { BargeError, typed } from "../../core/error.ts";
import { checkAccountName } from "../../core/storage/account_rules.ts";
import { readPasswordFile } from "../_client/password.ts";
import { checkNetworks } from "../../core/net/networks.ts";
import { parseDay } from "../../core/protocol/time.ts";
import { parseSize } from "../../core/size.ts";

const quota = v.union([
  v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  v.pipe(
    v.string(),
    v.check((text) => text === "none" || parseSize(text) !== undefined, "is not a size like 20GiB"),
    v.transform((text) => text === "none" ? null : parseSize(text)!),
  ),
], 'must be a number of bytes, a size like "20GiB", or "none"');

const entries = v.union([
  v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  v.pipe(v.literal("none"), v.transform(() => null)),
], 'must be a number, or "none"');

const expires = v.pipe(
  v.string(),
  v.check(
    (text) => text === "none" || parseDay(text) !== undefined,
    'is not a day like 2027-01-31, a time in RFC 3339, or "none"',
  ),
  v.transform((text) => text === "none" ? null : parseDay(text)!),
);

const from = v.union([
  v.pipe(v.array(v.string()), v.minLength(1)),
  v.pipe(v.literal("none"), v.transform(() => null)),
], 'must be a list of addresses and networks, or "none"');

const account = v.strictObject({
  name: v.string(),
  role: v.optional(v.picklist(["user", "admin"])),
  quota: v.optional(quota),
  entries: v.optional(entries),
  disabled: v.optional(v.boolean()),
  expires: v.optional(expires),
  from: v.optional(from),
  password: v.optional(v.pipe(v.string(), v.minLength(1, "is empty"))),
  passwordFile: v.optional(v.string()),
  state: v.optional(v.picklist(["present", "absent"])),
});
const file = v.strictObject({ accounts: v.array(account) });

/** A declared account. Undefined fields stay unchanged. */
export type Declared = Omit<ReturnType<typeof parseDeclared>[number], "passwordFile">;

/**
 * Reads a declaration, and the password files that it names.
 *
 * @param path `-` is standard input; password files are then relative to the current folder
 * @throws {BargeError} `usage` for an invalid field, which the message names; the kind of a failed read
 */
export async function readDeclared(path: string): Promise<Declared[]> {
  const text = await readText(path);
  const folder = path === "-" ? "." : dirname(path);
  const declared = parseDeclared(text, path);
  return await Promise.all(declared.map(async ({ passwordFile, ...account }) => ({
    ...account,
    password: passwordFile === undefined
      ? account.password
      : await readPasswordFile(resolve(folder, passwordFile)),
  })));
}

/**
 * Parses a declaration.
 *
 * @param path of the file, for error messages
 * @throws {BargeError} `usage`
 */
export function parseDeclared(text: string, path: string) {
  const invalid = (why: string, hint?: string) => {
    return new BargeError("usage", why, { op: "user apply", path, hint });
  };
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw invalid(`the file is not JSON: ${(cause as Error).message}`);
  }
  const result = v.safeParse(file, value, { abortEarly: true });
  if (!result.success) {
    const issue = result.issues[0];
    const at = v.getDotPath(issue) ?? "the file";
    const unknown = issue.type === "strict_object" && issue.expected === "never";
    throw invalid(
      unknown ? `${at}: there is no such field` : `${at}: ${lowerFirst(issue.message)}`,
      "`barge user apply --help` lists the fields",
    );
  }
  const names = new Set<string>();
  return result.output.accounts.map(({ quota, entries, state, ...account }) => {
    checkAccountName(account.name);
    const { name, password, passwordFile } = account;
    checkNetworks(account.from ?? []);
    if (names.has(name.toLowerCase())) throw invalid(`${name} is declared twice`);
    names.add(name.toLowerCase());
    if (password !== undefined && passwordFile !== undefined) {
      throw invalid(`${name} has both a password and a passwordFile`);
    }
    return { ...account, limit: quota, entryLimit: entries, absent: state === "absent" };
  });
}

async function readText(path: string): Promise<string> {
  try {
    if (path === "-") return await new Response(Deno.stdin.readable).text();
    return await Deno.readTextFile(path);
  } catch (cause) {
    throw typed(cause, { op: "read", path });
  }
}

function lowerFirst(message: string): string {
  return message.replace(/^[A-Z](?=[a-z ])/, (c) => c.toLowerCase());
}
