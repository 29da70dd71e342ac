/** Challenges by TLS: their handshake, with another TLS library as the client, and with bytes that are none. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createHash, X509Certificate } from "node:crypto";
import { once } from "node:events";
import { connect } from "node:tls";
import { makeChallengePair } from "../../../core/acme/certificates.ts";
import { BargeError } from "../../../core/error.ts";
import { answerChallenge } from "../../../core/net/challenge/challenge.ts";
import { ChallengeTls } from "../../../core/net/challenge/challenge_tls.ts";
import { PipeOver } from "../../../core/net/pipe_over.ts";
import { TlsListener } from "../../../core/net/listen_tls.ts";
import { Random } from "../../_random.ts";
import { der, here, pairFor } from "./_tls.ts";

/** Connects as an authority does, and prints the protocol, the version and the certificate's digest. */
const script = `
import hashlib, socket, ssl, sys
context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
context.set_alpn_protocols([sys.argv[2]])
raw = socket.create_connection(("127.0.0.1", int(sys.argv[1])), 30)
with context.wrap_socket(raw, server_hostname="A.example") as tls:
    digest = hashlib.sha256(tls.getpeercert(True)).hexdigest()
    print(tls.selected_alpn_protocol(), tls.version(), digest)
`;

async function dialed(port: number, protocol: string): Promise<string> {
  const { stdout, stderr } = await new Deno.Command("python3", {
    args: ["-c", script, String(port), protocol],
  }).output();
  const text = new TextDecoder();
  return text.decode(stdout).trim() || text.decode(stderr).trim().split("\n").at(-1)!;
}

function digest(pair: { readonly cert: string; readonly key: string }): string {
  return createHash("sha256").update(der(pair)).digest("hex");
}

Deno.test("an authority gets the challenge's certificate, other clients the server's own", async () => {
  const own = await pairFor();
  const pair = await makeChallengePair("a.example", "token.thumbprint");
  const failures: string[] = [];
  const asked: string[] = [];
  using listener = new TlsListener(here, own, {
    onFailure: (_, why) => void failures.push(why),
    findChallenge(host) {
      asked.push(host);
      return Promise.resolve(pair);
    },
  });
  const { port } = listener.addr;
  const accepted = listener.accept();
  assert.equal(await dialed(port, "acme-tls/1"), `acme-tls/1 TLSv1.2 ${digest(pair)}`);
  assert.equal(await dialed(port, "barge/1"), `barge/1 TLSv1.3 ${digest(own)}`);
  (await accepted).close();
  assert.deepEqual(asked, ["a.example"]);
  assert.deepEqual(failures, ["it was a certificate authority's challenge"]);
  const extension = new X509Certificate(pair.cert).raw.toString("hex");
  const expected = createHash("sha256").update("token.thumbprint").digest("hex");
  assert.ok(extension.includes(`06082b0601050507011f0101ff04220420${expected}`));
});

Deno.test("a challenge that nobody has ordered is closed", async () => {
  using listener = new TlsListener(here, await pairFor(), {
    findChallenge: () => Promise.resolve(undefined),
  });
  const accepted = listener.accept().catch(() => {});
  assert.match(await dialed(listener.addr.port, "acme-tls/1"), /EOF|reset/i);
  listener.close();
  await accepted;
});

/** Returns the hello of a client that names `acme-tls/1`. */
async function hello(): Promise<Uint8Array> {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const socket = connect({
    host: "127.0.0.1",
    port: listener.addr.port,
    servername: "a.example",
    ALPNProtocols: ["acme-tls/1"],
  });
  socket.on("error", () => {});
  using conn = await listener.accept();
  const bytes = new Uint8Array(8192);
  const n = await conn.read(bytes);
  socket.destroy();
  await once(socket, "close");
  return bytes.slice(0, n!);
}

Deno.test("a hello is read in pieces of one byte, and the other side reads it whole", async () => {
  const whole = await hello();
  let at = 0;
  class Slow extends PipeOver<never> {
    override read(into: Uint8Array): Promise<number | null> {
      if (at === whole.length) return Promise.resolve(null);
      into[0] = whole[at++];
      return Promise.resolve(1);
    }
  }
  const asked: string[] = [];
  await answerChallenge(new Slow(undefined as never), (host) => {
    asked.push(host);
    return Promise.resolve(undefined);
  });
  assert.deepEqual(asked, ["a.example"]);
});

Deno.test("damaged bytes of a client fail as a breach of the protocol, and nothing else", async () => {
  const whole = await hello();
  const pair = await makeChallengePair("a.example", "token.thumbprint");
  const random = new Random(7);
  for (let round = 0; round < 300; round++) {
    const bytes = Buffer.from(whole);
    for (let change = 0; change < 3; change++) {
      bytes[random.below(bytes.length)] = random.below(256);
    }
    const tls = new ChallengeTls(pair);
    try {
      tls.feed(bytes);
      tls.feed(Uint8Array.of(22, 3, 3, 0, 5, 16, 0, 0, 1, 0));
      tls.feed(Uint8Array.of(20, 3, 3, 0, 1, 1, 22, 3, 3, 0, 2, 1, 2));
    } catch (error) {
      assert.ok(error instanceof BargeError && error.kind === "protocol", String(error));
    }
    assert.equal(tls.done, false);
  }
});
