/** The server's side of TLS, over a connection that was accepted already. */
import { X509Certificate } from "node:crypto";
import { createSecureContext, type SecureContext, TLSSocket } from "node:tls";
import { BargeError } from "../error.ts";
import type { KeyPair } from "./certificate.ts";
import { endPoint } from "./end_point.ts";
import type { Pipe } from "./stream.ts";
import { TlsPipe } from "./tls_pipe.ts";

/** What a server shows: made once for many connections. */
export interface Shown {
  readonly context: SecureContext;
  /**
   * TLS 1.2. For connections on which the client only sends, since the tickets of 1.3 come after the
   * handshake: a client that closes with them unread, as curl does, resets the connection, and what
   * it has sent and the server has not read yet is lost. And where one connection has to prove that
   * it resumes another one's session (same_session.ts).
   */
  readonly quiet: SecureContext;
  /** The protocols that a client may name (RFC 7301); who names none is welcome, too. */
  readonly protocols: readonly string[];
  /** The certificate that a login over such a connection is bound to (end_point.ts). */
  readonly endPoint: string;
}

/** @throws {BargeError} `fatal` when the certificate can't be used */
export function showing({ cert, key }: KeyPair, protocols: readonly string[]): Shown {
  return usable(() => {
    const pair = { cert, key, minVersion: "TLSv1.2" as const };
    const context = createSecureContext(pair);
    const quiet = createSecureContext({ ...pair, maxVersion: "TLSv1.2" });
    return { context, quiet, protocols, endPoint: endPoint(new X509Certificate(cert).raw) };
  });
}

/** What the checks of certificate.ts let through, and the TLS library still refuses. */
export function usable<T>(use: () => T): T {
  try {
    return use();
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new BargeError("fatal", why, { op: "use certificate", cause });
  }
}

/**
 * A fatal alert, handshake_failure, as it is before anything is encrypted (RFC 8446, section 6.2).
 * The runtime keeps its own alert to itself when the connection below is not one of its own; and a
 * plain client has to be told that TLS is spoken here.
 */
const alert = Uint8Array.of(21, 3, 3, 0, 2, 2, 40);

/**
 * Shakes hands, as the server.
 *
 * @param below the connection: taken over, unless this fails; then it is the caller's to close
 * @throws as {@link TlsPipe.shake}
 */
export async function acceptTls(below: Pipe, shown: Shown): Promise<TlsPipe> {
  const { context: secureContext, protocols } = shown;
  const options = { isServer: true, secureContext, ALPNProtocols: [...protocols] };
  const pipe = new TlsPipe(below, (raw) => {
    // Any duplex will do, whatever the type says.
    return new TLSSocket(raw as ConstructorParameters<typeof TLSSocket>[0], options);
  });
  try {
    await pipe.shake();
    pipe.endPoint = shown.endPoint;
    return pipe;
  } catch (error) {
    pipe.abandon();
    const refused = error instanceof BargeError && error.kind === "protocol";
    if (refused && !pipe.spoken) await below.write(alert).catch(() => {/* it is gone */});
    throw error;
  }
}
