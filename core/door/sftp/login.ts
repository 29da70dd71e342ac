/**
 * Logs clients of the SFTP door in (RFC 4252): by a password or token, also with
 * keyboard-interactive, which some clients need, or by a public key of the account. Only
 * keyboard-interactive can ask for a code: an account with a second factor is refused its password by the
 * method `password`. A banner shows why a right secret is refused.
 *
 * A client that is asked for a secret may begin another attempt, which supersedes the first one: the first one
 * then ends without a session, a banner and an answer (RFC 4252, section 5.1).
 *
 * A client may ask whether a key would be accepted. An unknown key counts as a failed login of the
 * address until that account logs in from there; to a banned address every key is unknown. A
 * connection has `maxTries` tries and `maxKeyQueries` such questions.
 */
import { BargeError } from "../../error.ts";
import { delay } from "../../net/delay.ts";
import { logName } from "../../login/log_name.ts";
import { isLoginRefusal } from "../../login/second_factor.ts";
import { logIn } from "../../login/password.ts";
import { acceptsKey, logInByKey } from "../../login/public_key.ts";
import { RightSecretRefused } from "../../login/refusal.ts";
import type { Session } from "../../login/session.ts";
import type { Service } from "../../login/service.ts";
import type { Stream } from "../../net/stream.ts";
import { Access } from "../access.ts";
import { explain, note } from "../failure.ts";
import { type AuthContext, type Client, parseKey, sendBanner } from "./ssh2.ts";

const maxTries = 6;
const maxKeyQueries = 32;
/** The time without a byte from a client that is asked for a code, in ms. */
const codeTimeoutMs = 90_000;
const methods = ["publickey", "password", "keyboard-interactive"];

/** The connection that a client logs in on. */
export interface LoginContext {
  readonly store: Service;
  readonly stream: Stream;
  /** The client's numeric address, without the port. */
  readonly host: string;
  /** Aborted when the connection ends. */
  readonly ended: AbortController;
  /** Logs the connection in to a session. @throws {BargeError} `unavailable` */
  admit(session: Session): void;
  /** Sends a farewell and ends the connection. */
  end(): void;
}

export class Login {
  readonly #connection: LoginContext;
  #tries = 0;
  #keyQueries = 0;

  constructor(connection: LoginContext, client: Client) {
    this.#connection = connection;
    client.on("authentication", (context) => {
      this.#answer(context).catch((error) => {
        note(error, connection.stream.peer);
        connection.end();
      });
    });
  }

  async #answer(context: AuthContext): Promise<void> {
    const { method } = context;
    if (method === "none" || method === "hostbased") return context.reject(methods);
    const isQuery = method === "publickey" && !context.signature;
    if (isQuery ? ++this.#keyQueries > maxKeyQueries : ++this.#tries > maxTries) {
      throw new BargeError("refused", "too many tries to log in");
    }
    const { store, host, ended } = this.#connection;
    const { username: name, key } = context;
    if (isQuery) {
      const accepted = await acceptsKey(store, { name, key: key!.data, host });
      return accepted ? context.accept() : context.reject(methods);
    }
    const asks = method === "keyboard-interactive";
    const secret = asks ? await prompt(context, "Password: ") : context.password;
    const second = asks ? { askCode: () => this.#askCode(context) } : undefined;
    if (method !== "publickey" && secret === undefined) return; // the client tries another method
    const gone = ended.signal;
    const pause = (ms: number) => delay(ms, gone);
    await this.#try(context, () => {
      if (method !== "publickey") {
        return logIn(store, { name, secret: secret!, host, door: "sftp", gone, second }, pause);
      }
      const proves = () => hasProof(context);
      return logInByKey(store, { name, key: key!.data, host, proves }, pause);
    });
  }

  /** Asks for a code, which takes longer to type than a password. */
  #askCode(context: AuthContext): Promise<string | undefined> {
    const { stream } = this.#connection;
    stream.idleTimeoutMs = codeTimeoutMs;
    stream.renewRead();
    return prompt(context, "Code: ");
  }

  async #try(context: AuthContext, logIn: () => Promise<Session>): Promise<void> {
    const c = this.#connection;
    const facts = { door: "sftp", address: c.stream.peer, verb: "login", path: null } as const;
    const access = new Access(facts, c.store.metrics);
    access.login = true;
    let superseded = false;
    context.once("abort", () => superseded = true);
    access.account = await logName(c.store, context.username);
    try {
      const session = await logIn();
      if (superseded) return access.end("interrupted");
      c.admit(session);
      access.account = session.name;
      access.end("ok");
      context.accept();
    } catch (error) {
      const failed = explain(error, { op: "log in" });
      access.end(failed.kind);
      if (superseded) return;
      if (!isLoginRefusal(failed)) throw failed;
      // The secret is right, so that asking for it again needs an explanation.
      if (error instanceof RightSecretRefused) {
        sendBanner(context, `${error.message} (${error.hint})`);
      }
      context.reject(methods);
    }
  }
}

/** Returns whether the client has signed with the key; a signature with SHA-1 does not count. */
function hasProof({ key, signature, blob, hashAlgo }: AuthContext): boolean {
  const parsed = parseKey(key!.data);
  if (!parsed || parsed.type !== key!.algo) return false;
  if (parsed.type === "ssh-rsa" && hashAlgo === undefined) return false;
  return parsed.verify(blob!, signature!, hashAlgo) === true;
}

/** Prompts for a secret. @returns undefined when the client tries another method */
function prompt(context: AuthContext, question: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    context.once("abort", () => resolve(undefined));
    context.prompt!([{ prompt: question, echo: false }], (answers) => {
      resolve(answers instanceof Error ? undefined : answers[0] ?? "");
    });
  });
}
