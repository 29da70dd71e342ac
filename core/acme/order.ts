/**
 * An order for a certificate (RFC 8555, section 7.4):
 *
 *   ordered -> challenges answered -> ready -> finalized -> issued
 *          \-> invalid: dropped
 *
 * The record `order` holds the order's URL and the key of its certificate, from before the challenges are answered
 * until the certificate is kept. So a server that is killed at any step goes on with the same order, and each
 * step may be done twice. A failure that may pass (`unavailable`) keeps the order as well. The answer to a challenge
 * is written, and its record named in the order, before the authority is asked to look. The name of a record, which may
 * be that of a file, has a domain of the order, and no other text of the authority.
 */
import * as v from "valibot";
import { BargeError } from "../error.ts";
import { parseCertificate } from "../net/certificate.ts";
import { retryAfterMs } from "../outbound/retry.ts";
import { type AcmeRecord, type AcmeStore, isToken, parseRecord } from "../storage/acme.ts";
import { makeChallengePair, makeKey, makeRequest } from "./certificates.ts";
import type { Answer, Connection } from "./connection.ts";
import { AcmeFailure, explain, problem, typeOf } from "./failure.ts";
import { base64url } from "./jws.ts";
import type { KeptRecord } from "./kept.ts";
import { Pause } from "./pause.ts";
import { idOf } from "./renewal_info.ts";
import { type AcmeSetup, sameDomains } from "./setup.ts";

const record = v.object({
  directory: v.string(),
  domains: v.array(v.string()),
  url: v.string(),
  /** The key of the certificate, in PEM. */
  key: v.string(),
  /** The names of the records of its challenges. */
  challenges: v.array(v.string()),
});

type OrderRecord = v.InferOutput<typeof record>;

const order = v.object({
  status: v.picklist(["pending", "ready", "processing", "valid", "invalid"]),
  authorizations: v.array(v.string()),
  finalize: v.string(),
  certificate: v.optional(v.string()),
  error: v.optional(problem),
});

type Order = v.InferOutput<typeof order>;

const challenge = v.object({
  type: v.string(),
  url: v.string(),
  status: v.string(),
  token: v.optional(v.string()),
  error: v.optional(problem),
});

const authorization = v.object({
  status: v.string(),
  identifier: v.object({ value: v.string() }),
  challenges: v.array(challenge),
});

/** An issued certificate with its chain, and its key, in PEM. */
export interface Issued {
  readonly cert: string;
  readonly key: string;
}

/**
 * Goes on with the order that is kept, or makes one, until the certificate is there. The caller keeps the certificate,
 * and then calls {@link dropOrder}.
 *
 * @param present the present certificate: an order with its key was finished
 * @throws {AcmeFailure} and {BargeError}
 */
export async function obtain(
  connection: Connection,
  setup: AcmeSetup,
  store: AcmeStore,
  present: KeptRecord | undefined,
  signal: AbortSignal,
): Promise<Issued> {
  const step = new Ordering(connection, setup, store, signal);
  const kept = await step.resume(present?.key) ?? await step.begin(present);
  try {
    return await step.finish(kept);
  } catch (error) {
    const passes = error instanceof BargeError &&
      ["unavailable", "interrupted"].includes(error.kind);
    if (!passes) await dropOrder(store);
    throw error;
  }
}

/** Removes the record of the order, and those of its challenges. */
export async function dropOrder(store: AcmeStore): Promise<void> {
  const kept = await readOrder(store);
  for (const name of kept?.challenges ?? []) await store.remove(name as AcmeRecord);
  await store.remove("order");
}

/** Returns the order that is kept; undefined for none, and for a damaged record. */
async function readOrder(store: AcmeStore): Promise<OrderRecord | undefined> {
  try {
    return parseRecord(record, await store.read("order"));
  } catch (error) {
    if (error instanceof BargeError && error.kind === "fatal") return undefined;
    throw error;
  }
}

class Ordering {
  readonly #connection: Connection;
  readonly #setup: AcmeSetup;
  readonly #store: AcmeStore;
  readonly #signal: AbortSignal;

  constructor(
    connection: Connection,
    setup: AcmeSetup,
    store: AcmeStore,
    signal: AbortSignal,
  ) {
    this.#connection = connection;
    this.#setup = setup;
    this.#store = store;
    this.#signal = signal;
  }

  /** Returns the order that is kept, if it is of this setup and the authority still knows it. */
  async resume(usedKey: string | undefined): Promise<OrderRecord | undefined> {
    const kept = await readOrder(this.#store);
    if (!kept) return undefined;
    const { directory, domains } = this.#setup;
    const same = kept.directory === directory && sameDomains(kept.domains, domains);
    if (same && kept.key !== usedKey) {
      try {
        const { body: { status } } = await this.#read(kept.url);
        if (status !== "invalid") return kept;
      } catch (error) {
        if (!(error instanceof AcmeFailure) || error.kind !== "refused") throw error;
      }
    }
    await dropOrder(this.#store);
    return undefined;
  }

  /** Makes an order. @param present the certificate that the new one replaces */
  async begin(present: KeptRecord | undefined): Promise<OrderRecord> {
    const { directory, domains } = this.#setup;
    const { newOrder } = this.#connection.directory;
    const key = await makeKey();
    const identifiers = domains.map((value) => ({ type: "dns", value }));
    const { headers } = await this.#order(identifiers, present);
    const url = headers.get("location");
    if (url === null) throw malformed(newOrder, "the answer lacks the order's URL");
    const made = { directory, domains: [...domains], url, key, challenges: [] };
    await this.#store.write("order", JSON.stringify(made));
    return made;
  }

  /** Sends an order, which names the certificate that it replaces to an authority that wants to know. */
  async #order(
    identifiers: readonly object[],
    present: KeptRecord | undefined,
  ): Promise<Answer<Order>> {
    const { newOrder, renewalInfo } = this.#connection.directory;
    const isRenewal = renewalInfo !== undefined && present?.directory === this.#setup.directory;
    const replaces = isRenewal ? await idOf(present.cert) : undefined;
    try {
      return await this.#connection.post(newOrder, { identifiers, replaces }, order);
    } catch (error) {
      const isRefused = error instanceof AcmeFailure && error.kind === "refused";
      if (replaces === undefined || !isRefused) throw error;
      // The certificate may be replaced already, or be of an account that is lost (RFC 9773, section 5).
      return await this.#connection.post(newOrder, { identifiers }, order);
    }
  }

  async finish(kept: OrderRecord): Promise<Issued> {
    const { url, key, domains } = kept;
    let { body: current } = await this.#read(url);
    if (current.status === "pending") {
      await this.#authorize(kept, current);
      current = await this.#settled(url, ["pending"]);
    }
    if (current.status === "ready") {
      const csr = base64url(await makeRequest(domains, key));
      current = (await this.#connection.post(current.finalize, { csr }, order)).body;
    }
    if (current.status !== "valid") current = await this.#settled(url, ["ready", "processing"]);
    if (current.status !== "valid" || current.certificate === undefined) {
      throw orderFailure(current, url);
    }
    const cert = await this.#connection.readCertificate(current.certificate);
    checkIssued({ cert, key }, domains, current.certificate);
    return { cert, key };
  }

  /** Answers the challenge of each domain, and waits until the authority has looked at all of them. */
  async #authorize(kept: OrderRecord, { authorizations }: Order): Promise<void> {
    const answered: string[] = [];
    for (const url of authorizations) {
      const { body } = await this.#connection.post(url, undefined, authorization);
      if (body.status === "valid") continue;
      const domain = body.identifier.value.toLowerCase();
      if (!kept.domains.includes(domain)) {
        throw malformed(url, `it asks for a challenge of ${JSON.stringify(domain)}`);
      }
      const { challenge: type } = this.#setup;
      const asked = body.challenges.find((one) => one.type === type);
      if (!asked?.token || !isToken(asked.token)) {
        throw malformed(url, `${domain}: it offers no challenge ${type} that can be answered`);
      }
      await this.#prepare(kept, domain, asked.token);
      if (asked.status === "pending") await this.#connection.post(asked.url, {}, v.unknown());
      answered.push(url);
    }
    for (const url of answered) await this.#validated(url);
  }

  /** Writes the answer to a challenge. */
  async #prepare(kept: OrderRecord, domain: string, token: string): Promise<void> {
    const text = `${token}.${this.#connection.key.thumbprint}`;
    const byHttp = this.#setup.challenge === "http-01";
    const name: AcmeRecord = byHttp ? `challenges/http-${token}` : `challenges/tls-${domain}`;
    if (!kept.challenges.includes(name)) {
      kept.challenges.push(name);
      await this.#store.write("order", JSON.stringify(kept));
    }
    const answer = byHttp ? text : JSON.stringify(await makeChallengePair(domain, text));
    await this.#store.write(name, answer);
  }

  /** Waits for the end of an authorization. @throws {AcmeFailure} when the authority did not accept the answer */
  async #validated(url: string): Promise<void> {
    const pause = new Pause(this.#signal);
    while (true) {
      const { body, headers } = await this.#connection.post(url, undefined, authorization);
      if (body.status === "valid") return;
      if (body.status !== "pending") {
        const failed = body.challenges.find(({ error }) => error !== undefined)?.error;
        const why = failed ? explain(failed) : `the authorization is ${body.status}`;
        const type = failed ? typeOf(failed) : "";
        throw new AcmeFailure("refused", type, `${body.identifier.value}: ${why}`, url);
      }
      await pause.wait(retryAfterMs(headers));
    }
  }

  /** Waits until the order has none of these states. */
  async #settled(url: string, waiting: readonly Order["status"][]): Promise<Order> {
    const pause = new Pause(this.#signal);
    while (true) {
      const { body, headers } = await this.#read(url);
      if (!waiting.includes(body.status)) return body;
      await pause.wait(retryAfterMs(headers));
    }
  }

  #read(url: string): Promise<Answer<Order>> {
    return this.#connection.post(url, undefined, order);
  }
}

/** Checks that the certificate has the key and the domains that were asked for. */
function checkIssued(issued: Issued, domains: readonly string[], url: string): void {
  const { names } = parseCertificate(issued, { cert: url, key: "the key of the order" });
  if (sameDomains(names.map((name) => name.toLowerCase()), domains)) return;
  throw malformed(url, `the certificate is for ${names.join(", ")}, not for ${domains.join(", ")}`);
}

function orderFailure({ status, error }: Order, url: string): AcmeFailure {
  const why = error ? explain(error) : `the order is ${status}`;
  return new AcmeFailure("refused", error ? typeOf(error) : "", why, url);
}

function malformed(path: string, why: string): BargeError {
  return new BargeError("protocol", why, { op: "ask the certificate authority", path });
}
