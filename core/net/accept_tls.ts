/** The server's side of TLS over an accepted connection. */
import { X509Certificate } from "node:crypto";
import { createSecureContext, type SecureContext, TLSSocket } from "node:tls";
import { BargeError } from "../error.ts";
import type { KeyPair } from "./certificate.ts";
import { bindingOf } from "./channel_binding.ts";
import { beginsPlainHttp, refusePlainHttp } from "./plain_http.ts";
import type { Pipe } from "./stream.ts";
import { TlsPipe } from "./tls_pipe.ts";

/** A server's certificate and TLS settings, shared by many connections. */
export interface ServerIdentity {
  readonly context: SecureContext;
  /**
   * The certificate and key, for TLS 1.2 only. With TLS 1.3, the server sends tickets after the handshake. A
   * client that closes before it has read them, as curl does, resets the connection, and the server loses
   * the bytes that it has not read yet. Session resumption (session_resumption.ts) needs TLS 1.2, too.
   */
  readonly tls12: SecureContext;
  /** The protocols that a client may name (RFC 7301); it may also name none. */
  readonly protocols: readonly string[];
  /** The certificate that a login over such a connection is bound to (channel_binding.ts). */
  readonly tlsBinding: string;
}

/** Makes the identity of a server. @throws {BargeError} `fatal` when the certificate can't be used */
export function serverIdentity(
  { cert, key }: KeyPair,
  protocols: readonly string[],
): ServerIdentity {
  return useCertificate(() => {
    const pair = { cert, key, minVersion: "TLSv1.2" as const };
    const context = createSecureContext(pair);
    const tls12 = createSecureContext({ ...pair, maxVersion: "TLSv1.2" });
    return { context, tls12, protocols, tlsBinding: bindingOf(new X509Certificate(cert).raw) };
  });
}

/**
 * Passes a certificate to the TLS library, which refuses some certificates that certificate.ts accepts.
 *
 * @throws {BargeError} `fatal` for a certificate that the library refuses
 */
export function useCertificate<T>(use: () => T): T {
  try {
    return use();
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new BargeError("fatal", why, { op: "use certificate", cause });
  }
}

/**
 * The alert handshake_failure, unencrypted (RFC 8446, section 6.2). It tells a client without TLS that this
 * server speaks TLS. The runtime sends alerts only over its own sockets, not over a `Pipe`.
 */
const handshakeFailure = Uint8Array.of(21, 3, 3, 0, 2, 2, 40);

/**
 * Makes the TLS handshake as the server.
 *
 * @param below the connection, which the returned pipe closes; if the handshake fails, the caller closes it
 * @param isNew whether the connection begins with TLS; then plain HTTP gets an answer in HTTP, and the caller's
 *   timeout bounds the wait for the client's end of the connection
 * @throws as {@link TlsPipe.handshake}
 */
export async function acceptTls(
  below: Pipe,
  identity: ServerIdentity,
  isNew = false,
): Promise<TlsPipe> {
  const { context: secureContext, protocols } = identity;
  const options = { isServer: true, secureContext, ALPNProtocols: [...protocols] };
  const pipe = new TlsPipe(below, (raw) => {
    // The type asks for a socket, but any duplex works.
    return new TLSSocket(raw as ConstructorParameters<typeof TLSSocket>[0], options);
  });
  try {
    await pipe.handshake();
    pipe.tlsBinding = identity.tlsBinding;
    return pipe;
  } catch (error) {
    pipe.abandon();
    const refused = error instanceof BargeError && error.kind === "protocol";
    if (!refused || pipe.spoken) throw error;
    if (isNew && pipe.firstRaw && beginsPlainHttp(pipe.firstRaw)) {
      await refusePlainHttp(below).catch(() => {/* the peer is gone */});
      throw new BargeError("protocol", "the client sent plain HTTP", { cause: error });
    }
    await below.write(handshakeFailure).catch(() => {/* the peer is gone */});
    throw error;
  }
}
