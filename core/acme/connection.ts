/**
 * Requests to an authority: its directory, nonces, and signed requests (RFC 8555, sections 6 and 7.1).
 *
 * A request whose nonce the authority refuses is signed again with the nonce of the refusal, as section 6.5 asks,
 * a bounded number of times. No other request is repeated: the next try of the renewal does that.
 */
import * as v from "valibot";
import { BargeError } from "../error.ts";
import { type OutboundAnswer, sendRequest } from "../outbound/request.ts";
import { failureOf, parseJson } from "./failure.ts";
import { type AccountKey, sign } from "./jws.ts";

const maxNonceRetries = 20;
export const userAgent = "barge";
const pemType = "application/pem-certificate-chain";

const directory = v.object({
  newNonce: v.string(),
  newAccount: v.string(),
  newOrder: v.string(),
  renewalInfo: v.optional(v.string()),
  meta: v.optional(
    v.object({ externalAccountRequired: v.optional(v.boolean(), false) }),
    { externalAccountRequired: false },
  ),
});

/** The URLs of an authority. */
export type Directory = v.InferOutput<typeof directory>;

interface DirectoryOptions {
  /** The URL of the directory. */
  readonly url: string;
  readonly trust: readonly string[];
  readonly signal: AbortSignal;
}

export interface ConnectionOptions extends DirectoryOptions {
  readonly key: AccountKey;
}

/** An answer whose status is below 400. */
export interface Answer<T> {
  readonly body: T;
  readonly headers: Headers;
}

export class Connection {
  readonly directory: Directory;
  readonly key: AccountKey;
  readonly #options: ConnectionOptions;
  /** The URL of the account; undefined until it is known. */
  account: string | undefined;
  /** The newest nonce, used once. */
  #nonce: string | undefined;

  private constructor(found: Directory, options: ConnectionOptions) {
    this.directory = found;
    this.key = options.key;
    this.#options = options;
  }

  /**
   * Reads the directory.
   *
   * @throws {AcmeFailure} and {BargeError} `unavailable`, `protocol`
   */
  static async open(options: ConnectionOptions): Promise<Connection> {
    return new Connection(await readDirectory(options), options);
  }

  /**
   * Sends a signed request.
   *
   * @param payload undefined: reads the resource
   * @throws {AcmeFailure} for a refusal; {BargeError} `unavailable`, `protocol`
   */
  async post<S extends v.GenericSchema>(
    url: string,
    payload: unknown,
    schema: S,
  ): Promise<Answer<v.InferOutput<S>>> {
    const { body, headers } = await this.#post(url, payload, "application/json");
    return { body: checked(schema, body, url), headers };
  }

  /** Reads a certificate and its chain, in PEM. @throws as {@link post} */
  async readCertificate(url: string): Promise<string> {
    const { body } = await this.#post(url, undefined, pemType);
    return new TextDecoder().decode(body);
  }

  async #post(url: string, payload: unknown, accept: string): Promise<OutboundAnswer> {
    const { trust, signal } = this.#options;
    const signer = this.account === undefined ? { jwk: this.key.jwk } : { kid: this.account };
    const headers = {
      "content-type": "application/jose+json",
      "user-agent": userAgent,
      accept,
    };
    for (let retries = 0;; retries++) {
      const nonce = this.#nonce ?? await this.#newNonce();
      this.#nonce = undefined;
      const body = await sign(this.key, { nonce, url, ...signer }, payload);
      const answer = await sendRequest({ url, method: "POST", headers, body, trust, signal });
      this.#nonce = answer.headers.get("replay-nonce") ?? undefined;
      if (answer.status < 400) return answer;
      const failure = failureOf(answer, url);
      if (failure.type !== "badNonce" || retries >= maxNonceRetries) throw failure;
    }
  }

  async #newNonce(): Promise<string> {
    const { trust, signal } = this.#options;
    const url = this.directory.newNonce;
    const headers = { "user-agent": userAgent };
    const answer = await sendRequest({ url, method: "HEAD", headers, trust, signal });
    if (answer.status >= 400) throw failureOf(answer, url);
    const nonce = answer.headers.get("replay-nonce");
    if (nonce === null) throw malformed(url, "a nonce");
    return nonce;
  }
}

/** Reads a directory. @throws {AcmeFailure} and {BargeError} `unavailable`, `protocol` */
export async function readDirectory({ url, trust, signal }: DirectoryOptions): Promise<Directory> {
  const answer = await sendRequest({ url, trust, signal, headers: { "user-agent": userAgent } });
  if (answer.status !== 200) throw failureOf(answer, url);
  return checked(directory, answer.body, url);
}

/** Parses a body, and checks its form. @throws {BargeError} `protocol` */
export function checked<S extends v.GenericSchema>(
  schema: S,
  body: Uint8Array,
  url: string,
): v.InferOutput<S> {
  const result = v.safeParse(schema, parseJson(body));
  if (result.success) return result.output;
  throw malformed(url, v.getDotPath(result.issues[0]) ?? "JSON");
}

function malformed(url: string, missing: string): BargeError {
  return new BargeError("protocol", `the answer lacks ${missing}, or it is malformed`, {
    op: "ask the certificate authority",
    path: url,
  });
}
