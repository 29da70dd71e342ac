/**
 * Logging in to the SFTP door (RFC 4252): a password (or a token in its place), the same asked for by
 * keyboard-interactive, which some clients want, or a public key of the account.
 *
 * A key that a client only asks about is answered by whether the account has it, as everywhere. One
 * that it does not have counts as a failed login of the address until a login of that account from
 * there; a banned address gets no for an answer. A connection gets `mostTries` tries, and as many
 * questions as an agent has keys.
 */
import { BargeError } from "../../error.ts";
import { delay } from "../../net/delay.ts";
import { logName } from "../../login/log_name.ts";
import { logIn } from "../../login/password.ts";
import { acceptsKey, logInByKey } from "../../login/public_key.ts";
import type { Session } from "../../login/session.ts";
import { Access } from "../access.ts";
import { explain, note } from "../failure.ts";
import type { Connection } from "./connection.ts";
import { type AuthContext, type Client, parseKey } from "./ssh2.ts";

const mostTries = 6;
const mostQuestions = 32;
const methods = ["publickey", "password", "keyboard-interactive"];

export class Login {
  readonly #connection: Connection;
  #tries = 0;
  #questions = 0;

  constructor(connection: Connection, client: Client) {
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
    const asks = method === "publickey" && !context.signature;
    if (asks ? ++this.#questions > mostQuestions : ++this.#tries > mostTries) {
      throw new BargeError("refused", "too many tries to log in");
    }
    if (asks) return await this.#mayUse(context) ? context.accept() : context.reject(methods);
    const secret = method === "keyboard-interactive" ? await ask(context) : context.password;
    if (method !== "publickey" && secret === undefined) return; // it tries something else
    await this.#try(
      context,
      () => method === "publickey" ? this.#byKey(context) : this.#byPassword(context, secret!),
    );
  }

  async #try(context: AuthContext, logIn: () => Promise<Session>): Promise<void> {
    const c = this.#connection;
    const access = new Access(
      { door: "sftp", address: c.stream.peer, verb: "login", path: null },
      c.store.metrics,
    );
    access.login = true;
    access.account = await logName(c.store, context.username);
    try {
      const session = await logIn();
      c.admit(session);
      access.account = session.name;
      access.end("ok");
      context.accept();
    } catch (error) {
      const failed = explain(error, { op: "log in" });
      access.end(failed.kind);
      if (failed.kind !== "unauthenticated") throw failed;
      context.reject(methods);
    }
  }

  #byPassword({ username: name }: AuthContext, secret: string): Promise<Session> {
    const { store, host, ended: { signal: gone } } = this.#connection;
    return logIn(store, { name, secret, host, gone }, (ms) => this.#pause(ms));
  }

  #byKey({ username: name, key, signature, blob, hashAlgo }: AuthContext): Promise<Session> {
    const { store, host } = this.#connection;
    const proves = () => {
      const parsed = parseKey(key!.data);
      if (!parsed || parsed.type !== key!.algo) return false;
      if (parsed.type === "ssh-rsa" && hashAlgo === undefined) return false; // SHA-1
      return parsed.verify(blob!, signature!, hashAlgo) === true;
    };
    return logInByKey(store, { name, key: key!.data, host, proves }, (ms) => this.#pause(ms));
  }

  #mayUse({ username: name, key }: AuthContext): Promise<boolean> {
    const { store, host } = this.#connection;
    return acceptsKey(store, { name, key: key!.data, host });
  }

  #pause(ms: number): Promise<void> {
    return delay(ms, this.#connection.ended.signal);
  }
}

/** Asks for the password. @returns undefined when the client goes on to something else */
function ask(context: AuthContext): Promise<string | undefined> {
  return new Promise((resolve) => {
    context.once("abort", () => resolve(undefined));
    context.prompt!([{ prompt: "Password: ", echo: false }], (answers) => {
      resolve(answers instanceof Error ? undefined : answers[0] ?? "");
    });
  });
}
