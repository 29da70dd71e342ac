/**
 * The account at an authority. Its key is kept before the account is made: an authority answers a second request
 * with the same key by the same account (RFC 8555, section 7.3.1), so that a server which is killed in between
 * makes no second one.
 */
import * as v from "valibot";
import { BargeError } from "../error.ts";
import { type AcmeStore, parseRecord } from "../storage/acme.ts";
import { Connection } from "./connection.ts";
import { bind, type ExternalAccount } from "./external_account.ts";
import { AcmeFailure } from "./failure.ts";
import { makeAccountKey, readAccountKey } from "./jws.ts";
import type { AcmeSetup } from "./setup.ts";

const record = v.object({
  directory: v.string(),
  /** A private JWK, in JSON. */
  key: v.string(),
  /** The account's URL; absent until the authority has made it. */
  url: v.optional(v.string()),
  /** The address that the authority has. */
  email: v.optional(v.string()),
});

type AccountRecord = v.InferOutput<typeof record>;

/**
 * Connects to the authority with the account that is kept, or makes one.
 *
 * @throws {AcmeFailure} and {BargeError}
 */
export async function connect(
  setup: AcmeSetup,
  store: AcmeStore,
  signal: AbortSignal,
): Promise<Connection> {
  const { directory, trust, email, external } = setup;
  const kept = await readAccount(store);
  const account = kept?.directory === directory
    ? kept
    : { directory, key: await makeAccountKey() } satisfies AccountRecord;
  if (account !== kept) await store.write("account", JSON.stringify(account));
  const key = await readAccountKey(account.key);
  const connection = await Connection.open({ url: directory, trust, key, signal });
  connection.account = account.url;
  if (account.url !== undefined && account.email === email) return connection;
  const url = account.url === undefined
    ? await make(connection, email, external)
    : await update(connection, account.url, email);
  await store.write("account", JSON.stringify({ ...account, url, email }));
  connection.account = url;
  return connection;
}

/** Forgets the account's URL, because the authority does not know it; its key is kept. */
export async function forgetAccount(store: AcmeStore): Promise<void> {
  const kept = await readAccount(store);
  if (kept) await store.write("account", JSON.stringify({ ...kept, url: undefined }));
}

async function readAccount(store: AcmeStore): Promise<AccountRecord | undefined> {
  return parseRecord(record, await store.read("account"));
}

async function make(
  connection: Connection,
  email: string | undefined,
  external: ExternalAccount | undefined,
): Promise<string> {
  const { newAccount, meta } = connection.directory;
  if (meta.externalAccountRequired && !external) {
    const why = "it makes accounts only with a key that it has given to you: name the key with " +
      "--acme-eab-kid and --acme-eab-key-file";
    throw new AcmeFailure("refused", "externalAccountRequired", why, newAccount);
  }
  const binding = external && await bind(external, connection.key, newAccount);
  const payload = {
    termsOfServiceAgreed: true,
    contact: contact(email),
    externalAccountBinding: binding,
  };
  const { headers } = await connection.post(newAccount, payload, v.unknown());
  const url = headers.get("location");
  if (url !== null) return url;
  throw new BargeError("protocol", "the answer lacks the account's URL", {
    op: "ask the certificate authority",
    path: newAccount,
  });
}

async function update(connection: Connection, url: string, email: string | undefined) {
  await connection.post(url, { contact: contact(email) }, v.unknown());
  return url;
}

function contact(email: string | undefined): string[] {
  return email === undefined ? [] : [`mailto:${email}`];
}
