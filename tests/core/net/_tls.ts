/** Helpers of the TLS tests: certificates, an echo server, a server without its certificate's key. */
import { Buffer } from "node:buffer";
import { createPrivateKey, sign, X509Certificate } from "node:crypto";
import type { Address } from "../../../core/net/address.ts";
import type { KeyPair } from "../../../core/net/certificate.ts";
import type { Fingerprint } from "../../../core/net/fingerprint.ts";
import { fingerprintOf } from "../../../core/net/certificate.ts";
import { type Accepted, TlsListener, type TlsListenOptions } from "../../../core/net/listen_tls.ts";
import { makeSelfSigned } from "../../../core/net/self_signed.ts";

export const here = { host: "127.0.0.1", port: 0 };

/** A certificate for this machine. */
export async function pairFor(
  hosts = ["localhost", "127.0.0.1"],
  time?: { from: Date; until: Date },
): Promise<KeyPair & { readonly mark: Fingerprint }> {
  const pair = await makeSelfSigned(hosts, time);
  return { ...pair, mark: fingerprintOf(der(pair)) };
}

export function der({ cert }: KeyPair): Uint8Array {
  return new X509Certificate(cert).raw;
}

/** A server that sends all bytes back, until it is disposed. */
export class EchoDoor implements AsyncDisposable {
  readonly address: { readonly host: string; readonly port: number };
  readonly #tasks: Promise<void>[] = [];
  readonly #conns = new Set<Accepted>();
  #onFailure: (why: string) => void = () => {};

  private constructor(readonly door: TlsListener, readonly failures: string[]) {
    this.address = { host: "127.0.0.1", port: this.door.addr.port };
    this.#tasks.push(this.#accept());
  }

  static start(pair: KeyPair, options: TlsListenOptions = {}): EchoDoor {
    const failures: string[] = [];
    const onFailure = (_: Address, why: string) => {
      failures.push(why);
      server.#onFailure(why);
    };
    const server = new EchoDoor(new TlsListener(here, pair, { onFailure, ...options }), failures);
    return server;
  }

  /** Waits for the next failed handshake. @returns its reason */
  failure(): Promise<string> {
    return new Promise((resolve) => this.#onFailure = resolve);
  }

  async #accept(): Promise<void> {
    try {
      while (true) this.#tasks.push(this.#echo(await this.door.accept()));
    } catch (error) {
      if (!(error instanceof Deno.errors.BadResource)) throw error;
    }
  }

  async #echo(conn: Accepted): Promise<void> {
    this.#conns.add(conn);
    const buffer = new Uint8Array(64 * 1024);
    try {
      for (let n; (n = await conn.read(buffer)) !== null;) await conn.write(buffer.slice(0, n));
    } catch { /* the client is gone */ }
    this.#conns.delete(conn);
    try {
      conn.close();
    } catch { /* disposing was faster */ }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.door.close();
    for (const conn of this.#conns) conn.close();
    await Promise.all(this.#tasks);
  }
}

/**
 * Makes the handshake of a TLS 1.2 server (RFC 5246, section 7.3; RFC 8422) up to the point at which
 * the client has checked the signature of the certificate's key.
 *
 * @param shown the certificate
 * @param signing the key that signs; of an honest server, that of the certificate
 * @returns the type of the client's record: 22 if it goes on with the handshake, 0 if it hung up
 */
export async function lie(conn: Deno.Conn, shown: KeyPair, signing: KeyPair): Promise<number> {
  const hello = await record(conn);
  const clientRandom = hello.subarray(6, 38); // behind the handshake's header and a version
  const random = crypto.getRandomValues(new Uint8Array(32));
  const share = await crypto.subtle.generateKey({ name: "ECDH", namedCurve: "P-256" }, true, [
    "deriveBits",
  ]);
  const point = new Uint8Array(await crypto.subtle.exportKey("raw", share.publicKey));
  const params = Buffer.concat([Buffer.from([3, 0, 23, point.length]), point]); // secp256r1
  const message = Buffer.concat([clientRandom, random, params]);
  const signature = sign("sha256", message, createPrivateKey(signing.key));
  const certificate = vector(3, der(shown));
  const flight = [
    // TLS 1.2, no session, ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, no compression
    handshake(2, Buffer.concat([Buffer.from([3, 3]), random, Buffer.from([0, 0xc0, 0x2b, 0])])),
    handshake(11, vector(3, certificate)),
    handshake(12, Buffer.concat([params, Buffer.from([4, 3]), vector(2, signature)])),
    handshake(14, Buffer.alloc(0)),
  ];
  for (const part of flight) {
    const bytes = Buffer.concat([Buffer.from([22, 3, 3]), vector(2, part)]);
    for (let done = 0; done < bytes.length;) done += await conn.write(bytes.subarray(done));
  }
  const head = new Uint8Array(1);
  return await conn.read(head) === null ? 0 : head[0];
}

async function record(conn: Deno.Conn): Promise<Uint8Array> {
  const header = await exactly(conn, 5);
  return await exactly(conn, header[3] * 256 + header[4]);
}

async function exactly(conn: Deno.Conn, size: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(size);
  for (let done = 0; done < size;) {
    const n = await conn.read(bytes.subarray(done));
    if (n === null) throw new Error("the client left");
    done += n;
  }
  return bytes;
}

function handshake(type: number, body: Uint8Array): Uint8Array {
  return Buffer.concat([Buffer.from([type]), vector(3, body)]);
}

/** Bytes with their length before them. */
function vector(width: number, bytes: Uint8Array): Uint8Array {
  const length = Buffer.alloc(width);
  length.writeUIntBE(bytes.length, 0, width);
  return Buffer.concat([length, bytes]);
}
