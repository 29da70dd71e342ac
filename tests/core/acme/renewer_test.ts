/** The renewal of certificates, with authorities that refuse. */
import assert from "node:assert/strict";
import "reflect-metadata"; // needed by @peculiar/x509
import * as x509 from "@peculiar/x509";
import { makeKey } from "../../../core/acme/certificates.ts";
import { keepCertificate } from "../../../core/acme/kept.ts";
import { idOf } from "../../../core/acme/renewal_info.ts";
import { Renewer } from "../../../core/acme/renewer.ts";
import type { ChallengeType } from "../../../core/acme/setup.ts";
import { AcmeFiles } from "../../../core/local/vault/acme_files.ts";
import type { Renewal } from "../../../core/storage/acme.ts";
import { until } from "../../_observe.ts";
import { pairFor } from "../net/_tls.ts";

/** An authority whose directory has this answer, and a renewal that asks it. */
class Refused implements AsyncDisposable {
  readonly folder = Deno.makeTempDirSync({ prefix: "barge-acme-" });
  readonly store = new AcmeFiles(this.folder);
  readonly states: Renewal[] = [];
  requests = 0;
  #server!: Deno.HttpServer<Deno.NetAddr>;
  #trust!: string;

  static async start(
    answer: (request: Request) => Response | Promise<Response>,
  ): Promise<Refused> {
    const refused = new Refused();
    const { cert, key } = await pairFor();
    const options = { hostname: "127.0.0.1", port: 0, cert, key, onListen() {} };
    refused.#trust = cert;
    refused.#server = Deno.serve(options, (request) => {
      refused.requests++;
      return answer(request);
    });
    return refused;
  }

  get directory(): string {
    return `https://127.0.0.1:${this.#server.addr.port}/`;
  }

  renew(challenge: ChallengeType = "http-01"): Renewer {
    const setup = { domains: ["a.example"], directory: this.directory, trust: [this.#trust] };
    return new Renewer({
      setup: { ...setup, challenge },
      store: this.store,
      shown: undefined,
      onCertificate() {},
      onRenewal: (renewal) => void this.states.push(renewal),
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
    await Deno.remove(this.folder, { recursive: true });
  }
}

Deno.test("an authority that asks for time is not asked sooner, whoever wants it", async () => {
  const busy = {
    type: "urn:ietf:params:acme:error:rateLimited",
    detail: "too many certificates for a.example\x1b[2J",
  };
  await using refused = await Refused.start(() =>
    Response.json(busy, { status: 429, headers: { "retry-after": "7200" } })
  );
  await using renewer = refused.renew();
  const failed = await until(() => refused.states.find(({ failures }) => failures === 1));
  assert.match(failed.failed!.why, /too many certificates for a\.example\\e\[2J \(rateLimited\)$/);
  const minutes = (Date.parse(failed.next) - Date.now()) / 60_000;
  assert.ok(minutes > 119 && minutes < 121, String(minutes));
  const looks = refused.states.length;
  renewer.retry();
  await until(() => refused.states.length > looks);
  assert.equal(refused.requests, 1);
});

Deno.test("a renewal that starts again goes on with the time of the next try", async () => {
  await using refused = await Refused.start(() => new Response("no", { status: 500 }));
  for (let start = 0; start < 2; start++) {
    await using _ = refused.renew();
    const looks = refused.states.length;
    await until(() => refused.states.slice(looks).some(({ failures }) => failures === 1));
  }
  assert.equal(refused.requests, 1);
  assert.match(refused.states.at(-1)!.failed!.why, /it answers with status 500$/);
});

Deno.test("a damaged state of the renewal counts as none", async () => {
  await using refused = await Refused.start(() => new Response("{}"));
  await refused.store.write("renewal", "{");
  await refused.store.write("certificate", "{}");
  await refused.store.write("order", "no JSON");
  await using _ = refused.renew();
  const { failed } = await until(() => refused.states.find(({ failures }) => failures === 1));
  assert.match(failed!.why, /the answer lacks newNonce/);
});

Deno.test("an authority that names another domain gets no record of that name", async () => {
  const value = "../../../../outside";
  const answers: Record<string, (at: (path: string) => string) => object> = {
    "/": (at) => ({ newNonce: at("nonce"), newAccount: at("account"), newOrder: at("order") }),
    "/order": (at) => ({
      status: "pending",
      authorizations: [at("authorization")],
      finalize: at("finalize"),
    }),
    "/authorization": (at) => ({
      status: "pending",
      identifier: { value },
      challenges: [{ type: "tls-alpn-01", url: at("challenge"), status: "pending", token: "t" }],
    }),
  };
  await using refused = await Refused.start(({ url }) => {
    const at = (path: string) => new URL(`/${path}`, url).href;
    const headers = { "replay-nonce": "n", location: at("order") };
    return Response.json(answers[new URL(url).pathname]?.(at) ?? {}, { headers });
  });
  await using _ = refused.renew("tls-alpn-01");
  const { failed } = await until(() => refused.states.find(({ failures }) => failures === 1));
  assert.match(failed!.why, /it asks for a challenge of "\.\.\/\.\./);
  assert.deepEqual([...Deno.readDirSync(refused.folder)].map(({ name }) => name), ["acme"]);
  const kept = [...Deno.readDirSync(`${refused.folder}/acme`)].map(({ name }) => name);
  assert.deepEqual(kept.sort(), ["account", "renewal"]);
});

Deno.test("an authority that binds accounts is refused without a key, which the reason names", async () => {
  await using refused = await Refused.start(({ url }) => {
    const directory = { newNonce: url, newAccount: url, newOrder: url };
    return Response.json({ ...directory, meta: { externalAccountRequired: true } });
  });
  await using _ = refused.renew();
  const { failed } = await until(() => refused.states.find(({ failures }) => failures === 1));
  assert.match(failed!.why, /--acme-eab-kid and --acme-eab-key-file/);
});

const dayMs = 86_400_000;

/** Keeps a certificate that is valid for 90 days, and names the key of its authority. @returns its id */
async function keepNamed({ store, directory }: Refused): Promise<string> {
  const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
  const key = await makeKey();
  const der = x509.PemConverter.decode(key)[0];
  const privateKey = await crypto.subtle.importKey("pkcs8", der, algorithm, true, ["sign"]);
  const { crv, kty, x, y } = await crypto.subtle.exportKey("jwk", privateKey);
  const publicKey = await crypto.subtle.importKey("jwk", { crv, kty, x, y }, algorithm, true, [
    "verify",
  ]);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: [{ CN: ["a.example"] }],
    notBefore: new Date(Date.now() - 1000),
    notAfter: new Date(Date.now() + 90 * dayMs),
    signingAlgorithm: algorithm,
    keys: { privateKey, publicKey },
    extensions: [await x509.AuthorityKeyIdentifierExtension.create(publicKey)],
  });
  const cert = certificate.toString("pem");
  await keepCertificate(store, { directory, domains: ["a.example"], cert, key });
  return (await idOf(cert))!;
}

/** Answers for the directory with a window, and for the rest as the test wants. */
function suggesting(start: number, end: number, rest: (request: Request) => Promise<Response>) {
  const [from, to] = [start, end].map((ms) => new Date(Date.now() + ms).toISOString());
  return async (request: Request) => {
    const { pathname, origin } = new URL(request.url);
    const at = (name: string) => `${origin}/${name}`;
    const urls = { newNonce: at("nonce"), newAccount: at("account"), newOrder: at("order") };
    if (pathname === "/") return Response.json({ ...urls, renewalInfo: at("info") });
    if (!pathname.startsWith("/info/")) return await rest(request);
    const headers = { "retry-after": "7200" };
    return Response.json({ suggestedWindow: { start: from, end: to } }, { headers });
  };
}

Deno.test("a certificate is renewed in the window that the authority suggests", async () => {
  const asked: string[] = [];
  const answer = suggesting(10 * dayMs, 11 * dayMs, () => Promise.resolve(new Response()));
  await using refused = await Refused.start((request) => {
    asked.push(new URL(request.url).pathname);
    return answer(request);
  });
  const id = await keepNamed(refused);
  await using _ = refused.renew();
  const { next, ask } = await until(() => refused.states.find(({ ask }) => ask !== undefined));
  const days = (Date.parse(next) - Date.now()) / dayMs;
  assert.ok(days > 9.9 && days < 11, String(days));
  const hours = (Date.parse(ask!) - Date.now()) / 3_600_000;
  assert.ok(hours > 1.9 && hours <= 2, String(hours));
  assert.deepEqual(asked, ["/", `/info/${id}`]);
});

Deno.test("a window that is over lets the certificate be renewed at once, and the order names it", async () => {
  const orders: unknown[] = [];
  const answer = suggesting(-2 * dayMs, -dayMs, async (request) => {
    const headers = { "replay-nonce": "n", location: new URL("/account", request.url).href };
    if (!request.url.endsWith("/order")) return Response.json({}, { headers });
    const { payload } = await request.json();
    orders.push(JSON.parse(new TextDecoder().decode(
      Uint8Array.fromBase64(payload, { alphabet: "base64url" }),
    )));
    const type = "urn:ietf:params:acme:error:alreadyReplaced";
    return Response.json({ type, detail: "it has a successor" }, { status: 409, headers });
  });
  await using refused = await Refused.start(answer);
  const replaces = await keepNamed(refused);
  await using _ = refused.renew();
  const { failed } = await until(() => refused.states.find(({ failures }) => failures === 1));
  assert.match(failed!.why, /it has a successor/);
  const identifiers = [{ type: "dns", value: "a.example" }];
  assert.deepEqual(orders, [{ identifiers, replaces }, { identifiers }]);
});

Deno.test("an authority that suggests nothing leaves the renewal at two thirds of the life", async () => {
  for (const answer of [new Response("{}", { status: 500 }), undefined]) {
    await using refused = await Refused.start(({ url }) =>
      answer?.clone() ?? Response.json({ newNonce: url, newAccount: url, newOrder: url })
    );
    await keepNamed(refused);
    await using _ = refused.renew();
    const { next } = await until(() => refused.states.find(({ ask }) => ask !== undefined));
    const days = (Date.parse(next) - Date.now()) / dayMs;
    assert.ok(days > 56 && days < 60, String(days));
  }
});
