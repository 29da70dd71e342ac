/** The renewal of certificates, with authorities that refuse. */
import assert from "node:assert/strict";
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

  static async start(answer: (request: Request) => Response): Promise<Refused> {
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

  renew(challenge: ChallengeType = "http-01"): Renewer {
    const directory = `https://127.0.0.1:${this.#server.addr.port}/`;
    const setup = { domains: ["a.example"], directory, trust: [this.#trust] };
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
