/**
 * An S3 bucket: immutable objects below one prefix. Objects are written once, under names that are never
 * used again, so the store needs only atomic writes, and reads that see finished writes.
 *
 * Each body is signed with its own SHA-256, which the store compares before it keeps the object. Stores refuse
 * signatures whose time is far from their own, so requests are signed with the time of the store once it has
 * refused one.
 */
import { AwsClient } from "aws4fetch";
import { BargeError } from "../../error.ts";
import { StorageRefused } from "../../storage/refused.ts";
import { type Listing, parseListing } from "./listing.ts";
import type { PieceMemory } from "./memory.ts";

export interface BucketOptions {
  /** `https://HOST/BUCKET`, without a slash at its end. */
  readonly url: string;
  /** The beginning of all names, with a slash at its end; "" for none. */
  readonly prefix: string;
  readonly accessKey: string;
  readonly secretKey: string;
  /** The region of the bucket. Default: us-east-1, which self-hosted stores accept. */
  readonly region?: string;
  /** The longest time of a request with all its attempts, in ms. Default: 20,000. */
  readonly deadlineMs?: number;
  /** Certificates, in PEM, of the authorities to trust beside the system's. */
  readonly trust?: readonly string[];
}

const defaultDeadlineMs = 20_000;
/** The share of the deadline that one attempt may take, so that a lost connection is tried again. */
const attemptShare = 0.75;
/** The most attempts of a request whose failure may be temporary. */
const maxTries = 3;
const retryMs = 200;
/** A smaller difference to the time of the store, in ms, is not why the store refuses a request. */
const minSkewMs = 60_000;

/** A request. */
interface Init extends Pick<RequestInit, "headers" | "body"> {
  /** For the bytes of the answer. */
  readonly memory?: PieceMemory;
}

/** The answer to a request that did not fail. */
interface Reply {
  /** False for one of the allowed statuses. */
  readonly ok: boolean;
  readonly headers: Headers;
  readonly bytes: Uint8Array;
}

export class Bucket implements Disposable {
  readonly #client: AwsClient;
  readonly #base: string;
  readonly #deadlineMs: number;
  readonly #http: Deno.HttpClient | undefined;
  readonly #prefix: string;
  /** The time of the store minus the time of this machine, in ms, once the store has refused a time. */
  #skewMs = 0;

  constructor(options: BucketOptions) {
    this.#client = new AwsClient({
      accessKeyId: options.accessKey,
      secretAccessKey: options.secretKey,
      service: "s3",
      region: options.region ?? "us-east-1",
      retries: 0,
    });
    this.#base = options.url;
    this.#prefix = options.prefix;
    this.#deadlineMs = options.deadlineMs ?? defaultDeadlineMs;
    const { trust } = options;
    this.#http = trust ? Deno.createHttpClient({ caCerts: [...trust] }) : undefined;
  }

  /**
   * Writes an object.
   *
   * @param sha256 the digest of the bytes, in hex
   * @throws {BargeError} `unavailable`; `no-space`; `fatal` for credentials or a bucket that are wrong
   */
  async put(name: string, bytes: Uint8Array, sha256: string): Promise<void> {
    await this.#send("PUT", this.#url(name), {
      body: bytes as Uint8Array<ArrayBuffer>,
      headers: { "x-amz-content-sha256": sha256 },
    });
  }

  /**
   * Reads an object, or a part of it.
   *
   * @param memory for the bytes. Default: fresh memory, which costs more
   * @throws {BargeError} as {@link put}; `io` where it is missing
   */
  async get(
    name: string,
    part?: { readonly start: number; readonly size: number },
    memory?: PieceMemory,
  ): Promise<Uint8Array> {
    if (part?.size === 0) return new Uint8Array();
    const headers = part && { range: `bytes=${part.start}-${part.start + part.size - 1}` };
    return (await this.#send("GET", this.#url(name), { headers, memory })).bytes;
  }

  /** Deletes an object; one that is gone already counts as deleted. @throws {BargeError} as {@link put} */
  async delete(name: string): Promise<void> {
    await this.#send("DELETE", this.#url(name), {}, [404]);
  }

  /** Returns the size of an object, in bytes; undefined where it is missing. @throws {BargeError} as {@link put} */
  async size(name: string): Promise<number | undefined> {
    const { ok, headers } = await this.#send("HEAD", this.#url(name), {}, [404]);
    return ok ? Number(headers.get("content-length")) : undefined;
  }

  /**
   * Lists a page of the objects below the prefix, in the order of their names.
   *
   * @param after the last name of the page before; "": from the start
   * @throws {BargeError} as {@link put}
   */
  async list(after = "", limit = 1000): Promise<Listing> {
    const query = new URLSearchParams({
      "list-type": "2",
      "encoding-type": "url",
      "max-keys": `${limit}`,
      prefix: this.#prefix,
      ...(after && { "start-after": this.#prefix + after }),
    });
    const url = `${this.#base}?${query.toString().replaceAll("+", "%20")}`;
    const { headers, bytes } = await this.#send("GET", url);
    const now = Date.parse(headers.get("date") ?? "");
    return { ...parseListing(new TextDecoder().decode(bytes), this.#prefix), now };
  }

  /** Checks that the bucket exists and the keys are right. @throws {BargeError} as {@link put} */
  async check(): Promise<void> {
    await this.list("", 1);
  }

  /**
   * Asks once for the bucket, and does not try again.
   *
   * @param timeoutMs the longest time
   * @throws {BargeError} as {@link put}
   */
  async probe(timeoutMs: number): Promise<void> {
    const answer = await this.#try("HEAD", this.#base, { deadlineMs: timeoutMs }, []);
    if (!(answer instanceof BargeError)) return;
    // An answer to HEAD has no body, and so no code.
    throw answer.kind === "io" ? refusal("HEAD", 404, "NoSuchBucket") : answer;
  }

  /** Makes the bucket, unless it exists. For tests. */
  async make(): Promise<void> {
    await this.#send("PUT", this.#base, {}, [409]);
  }

  [Symbol.dispose](): void {
    this.#http?.close();
  }

  #url(name: string): string {
    return `${this.#base}/${encodeURIComponent(this.#prefix + name).replaceAll("%2F", "/")}`;
  }

  /** @param allowed statuses that are no failure, beside those below 300 */
  async #send(
    method: string,
    url: string,
    init: Init = {},
    allowed: readonly number[] = [],
  ): Promise<Reply> {
    const end = performance.now() + this.#deadlineMs;
    for (let attempt = 1;; attempt++) {
      const skewMs = this.#skewMs;
      const deadlineMs = Math.min(attemptShare * this.#deadlineMs, end - performance.now());
      const outcome = await this.#try(method, url, { ...init, deadlineMs }, allowed);
      if (!(outcome instanceof BargeError)) return outcome;
      const again = outcome.kind === "unavailable" || this.#skewMs !== skewMs;
      const pauseMs = retryMs * attempt;
      if (!again || attempt === maxTries || performance.now() + pauseMs >= end) throw outcome;
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
  }

  async #try(
    method: string,
    url: string,
    { deadlineMs, memory, headers, body }: Init & { readonly deadlineMs: number },
    allowed: readonly number[],
  ): Promise<Reply | BargeError> {
    let response: Response;
    try {
      const aws = { datetime: signingTime(Date.now() + this.#skewMs) };
      // The body is left out of the signed request, which would copy it.
      const signed = await this.#client.sign(url, { method, headers, aws });
      const options: RequestInit & { client?: Deno.HttpClient } = {
        method,
        headers: signed.headers,
        body,
        signal: AbortSignal.timeout(deadlineMs),
        client: this.#http,
      };
      response = await fetch(url, options);
      if (response.ok || allowed.includes(response.status)) {
        const { ok, headers } = response;
        return { ok, headers, bytes: await bytesOf(response, memory) };
      }
    } catch (cause) {
      return unanswered(cause);
    }
    const text = await response.text().catch(() => "");
    const code = /<Code>(\w+)</.exec(text)?.[1] ?? "";
    // An answer to HEAD has no body, and so no code.
    if (code === "RequestTimeTooSkewed" || method === "HEAD" && response.status === 403) {
      this.#takeTime(response.headers);
    }
    return refusal(method, response.status, code);
  }

  /** Signs the next requests with the time of an answer, if that is far from the time of the last one. */
  #takeTime(headers: Headers): void {
    const skewMs = Date.parse(headers.get("date") ?? "") - Date.now();
    if (Math.abs(skewMs - this.#skewMs) >= minSkewMs) this.#skewMs = skewMs;
  }
}

/** Returns the body of an answer. @param memory for its bytes; undefined for fresh memory */
async function bytesOf(response: Response, memory?: PieceMemory): Promise<Uint8Array> {
  const size = Number(response.headers.get("content-length") ?? NaN);
  if (!memory || !response.body || !(size <= memory.buffer.byteLength)) {
    return await response.bytes();
  }
  const reader = response.body.getReader({ mode: "byob" });
  for (let at = 0; at < size;) {
    // The stream takes the buffer, and returns another one with the same memory.
    const { value, done } = await reader.read(new Uint8Array(memory.buffer, at, size - at));
    if (done) throw new TypeError("the answer ended too early");
    memory.buffer = value.buffer;
    at += value.length;
  }
  await reader.read(new Uint8Array(1)); // at the end, the connection serves the next request
  return new Uint8Array(memory.buffer, 0, size);
}

/** Returns a time as signatures have it: 20260131T235959Z. @param ms since 1970 */
function signingTime(ms: number): string {
  return new Date(ms).toISOString().replace(/[:-]|\.\d{3}/g, "");
}

/** Returns the failure of a request without an answer. */
function unanswered(cause: unknown): BargeError {
  // Deno has no code for a certificate, only a text.
  const text = `${cause} ${(cause as Error).cause}`;
  const [, why] = /invalid peer certificate: (.*)/.exec(text) ?? [];
  if (why !== undefined) {
    return new StorageRefused(`the certificate of the object store is not accepted: ${why}`, {
      hint: "name its authority with --store-ca, and its host in --bucket as in the certificate",
      cause,
    });
  }
  return new BargeError("unavailable", "the object store does not answer", {
    hint: "try again once it is back",
    cause,
  });
}

function refusal(method: string, status: number, code: string): BargeError {
  const cause = new Error(`${method}: status ${status} ${code}`.trim());
  if (code === "NoSuchBucket") {
    return new StorageRefused("the bucket does not exist", {
      hint: "make it, or correct --bucket",
      cause,
    });
  }
  if (status === 404) return new BargeError("io", "an object is missing in the store", { cause });
  if (status === 416) return new BargeError("io", "an object in the store is too short", { cause });
  if (status === 507 || code === "QuotaExceeded") {
    return new BargeError("no-space", "the object store is full", { cause });
  }
  if (code === "RequestTimeTooSkewed") {
    return new StorageRefused("the object store refuses the time of this machine", {
      hint: "correct the clock of this machine, or of the store",
      cause,
    });
  }
  if (status === 401 || status === 403) {
    return new StorageRefused(`the object store refuses the request (${code || status})`, {
      hint: "check the keys",
      cause,
    });
  }
  return new BargeError("unavailable", `the object store answers ${status} ${code}`.trim(), {
    hint: "try again later",
    cause,
  });
}
