/** Logs in with a password or a token; the server must prove that it knows the account's secret. */
import { BargeError } from "../error.ts";
import { bindingName } from "../net/binding_name.ts";
import type { Answer } from "../protocol/message.ts";
import { type Mechanism, nonce, prove } from "../protocol/scram.ts";
import { type AheadRequest, maxAheadRequests } from "./ahead.ts";
import type { Client } from "./client.ts";

/** A name and password, or the text of a token: `barge_<id>_<secret>`. */
export type Credentials =
  | {
    readonly account: string;
    readonly password: string;
    /** A code of the account's second factor; it logs in once. */
    readonly code?: string;
  }
  | {
    readonly token: string;
    /** The account that the token is of, for the server's audit trail: the server knows no revoked token. */
    readonly owner?: string;
  };

/** Returns requests to send before their answers are needed. */
export type RequestsAhead = () => readonly AheadRequest[] | Promise<readonly AheadRequest[]>;

/** The account that is logged in. */
export type Login = Pick<Answer<"proof">, "account" | "role">;

/**
 * @param ahead returns the requests to send with the proof by `Client.askAhead`; at most {@link maxAheadRequests} are
 *   sent. It is called while the server makes the challenge, so that it can also load modules
 * @throws {BargeError} `unauthenticated`; `code-needed` for a right password without the code that the account
 *   needs; `denied` if the account must enable a second factor first; `identity` if the server does not know
 *   the account's secret or shows another certificate to others; `usage` for an invalid token
 */
export async function login(
  client: Client,
  credentials: Credentials,
  ahead: RequestsAhead = () => [],
): Promise<Login> {
  const { mechanism, account, secret, code, owner } = parseCredentials(credentials);
  const answering = answerChallenge(client, mechanism, account, secret, owner);
  answering.catch(() => {/* awaited below; sending may fail first */});
  await client.flush();
  const requests = await ahead();
  const { proof, signature, binding } = await answering;
  const proving = client.ask("proof", { proof, binding, code });
  for (const request of requests.slice(0, maxAheadRequests)) client.askAhead(request);
  const answer = await proving;
  checkSignature(client, account, answer.signature, signature);
  return { account: answer.account, role: answer.role };
}

/**
 * Checks that the server knows the account's secret; else closes the connection.
 *
 * @throws {BargeError} `identity`
 */
export function checkSignature(
  client: Client,
  account: string,
  received: string,
  expected: string,
): void {
  if (!equalBytes(received, expected)) {
    const error = new BargeError("identity", "the server can't prove that it knows the account", {
      op: "log in to",
      path: client.peer,
      account,
      hint: "someone else may be answering in its place; ask its operator",
    });
    client.close(error);
    throw error;
  }
}

/**
 * Requests a challenge and computes its proof, bound to the server's certificate.
 *
 * @returns the proof, its binding, and the signature by which the server proves itself
 * @throws {BargeError} as {@link login}
 */
export async function answerChallenge(
  client: Client,
  mechanism: Mechanism,
  account: string,
  secret: string,
  owner?: string,
) {
  const clientNonce = nonce();
  const challenge = await client.ask("auth", { mechanism, account, owner, nonce: clientNonce });
  const { nonce: serverNonce, salt, n, r, p } = challenge;
  const binding = bindingOf(client);
  const exchange = { mechanism, account, clientNonce, serverNonce, salt, n, r, p, binding };
  return { ...await prove(secret, exchange), binding };
}

/**
 * Returns the binding of a login over TLS. The binding keeps a machine in the middle, whose
 * certificate differs, from passing the login on.
 *
 * @throws {BargeError} `identity` if the server does not require it: TLS may end at a proxy
 */
function bindingOf(client: Client): string | undefined {
  const { tlsBinding } = client;
  if (tlsBinding === undefined || client.hello.binding === bindingName) return tlsBinding;
  const error = new BargeError("identity", "the server does not bind logins to its certificate", {
    op: "log in to",
    path: client.peer,
    hint: "it is an old version, or TLS ends at a proxy before it: its operator may name the " +
      "proxy's certificate with `barge serve --proxy-cert`",
  });
  client.close(error);
  throw error;
}

function parseCredentials(credentials: Credentials) {
  if (!("token" in credentials)) {
    const { account, password, code } = credentials;
    return {
      mechanism: "password" as Mechanism,
      account,
      secret: password,
      code,
      owner: undefined,
    };
  }
  // A secret is base64url, which has underscores; an id has none.
  const match = /^barge_([^_\s]+)_(\S+)$/.exec(credentials.token.trim());
  if (!match) {
    const hint = "a token looks like barge_ID_SECRET; `barge login` makes one";
    throw new BargeError("usage", "this is not a token", { op: "log in", hint });
  }
  return {
    mechanism: "token" as Mechanism,
    account: match[1],
    secret: match[2],
    code: undefined,
    owner: credentials.owner,
  };
}

/** Compares base64 of 32 bytes in constant time. */
function equalBytes(a: string, b: string): boolean {
  const [x, y] = [Uint8Array.fromBase64(a), Uint8Array.fromBase64(b)];
  return x.reduce((differs, byte, i) => differs | (byte ^ y[i]), x.length ^ y.length) === 0;
}
