/**
 * Connects with TLS, and hands the server's certificate to whoever decides on it before anything
 * else is sent. The decision is on this very connection: the handshake has proved that the other
 * end has the certificate's key (that is checked whether or not the certificate is trusted; a test
 * holds the runtime to it), so nobody can step in between looking and trusting.
 *
 * Node's TLS and not Deno's own: Deno's tells nobody which certificate it was shown, and takes a
 * pinned one only beside all public authorities. It costs: about 200 MB/s over loopback on two
 * cores, where Deno's own makes twice as much.
 */
import { BargeError } from "../error.ts";
import { type Address, formatAddress } from "./address.ts";
import { type CertificateFacts, describeCertificate } from "./certificate.ts";
import { endPoint } from "./end_point.ts";
import type { Pipe } from "./stream.ts";
import { alpn, TlsPipe } from "./tls_pipe.ts";

/** A certificate that a server has shown, and proved to have the key of. */
export interface Presented extends CertificateFacts {
  /** Does an authority that this machine knows vouch for it, for the name that was dialed? */
  readonly vouched: boolean;
  /** Why not. */
  readonly why: string;
}

/**
 * @param signal cuts the attempt off, with its reason
 * @returns a connection whose certificate nobody has decided on yet; the caller closes it
 * @throws {BargeError} `unavailable`; `identity` when there is no TLS, or none that works; the
 *   signal's reason
 */
export async function dialTls(
  address: Address,
  signal: AbortSignal,
): Promise<{ readonly pipe: Pipe; readonly presented: Presented }> {
  const first = await shake(address, signal);
  if (first.presented.vouched || selfSigned(first.presented)) return first;
  // Someone vouches for it. Deno itself asks Mozilla's list alone, here the system's counts, too.
  const { getCACertificates } = await import("node:tls");
  const ca = [...getCACertificates("default"), ...getCACertificates("system")];
  first.pipe.close();
  return await shake(address, signal, ca);
}

async function shake(address: Address, signal: AbortSignal, ca?: string[]) {
  const { connect } = await import("node:tls");
  const { host, port } = address;
  const facts = { op: "connect to", path: formatAddress(address) };
  const conn = await Deno.connect({ hostname: host, port, signal }).catch((cause) => {
    throw signal.aborted ? signal.reason : explain(cause).with(facts);
  });
  conn.setNoDelay(true);
  const pipe = new TlsPipe(conn, (socket) =>
    connect({
      ...{ socket, host, ca, rejectUnauthorized: false },
      ...{ ALPNProtocols: [alpn], minVersion: "TLSv1.2" },
    }));
  const abort = () => pipe.close();
  signal.addEventListener("abort", abort, { once: true });
  try {
    if (signal.aborted) abort();
    await pipe.shake();
    const { socket } = pipe;
    const certificate = socket.getPeerCertificate();
    if (!certificate?.raw) throw new BargeError("identity", "the server shows no certificate");
    const why = socket.authorized ? "" : String(socket.authorizationError ?? "not verified");
    const shown = describeCertificate(certificate.raw);
    pipe.endPoint = endPoint(certificate.raw);
    return { pipe, presented: { ...shown, vouched: socket.authorized, why } };
  } catch (cause) {
    pipe.close();
    throw signal.aborted ? signal.reason : explain(cause).with(facts);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

function selfSigned({ subject, issuer }: CertificateFacts): boolean {
  return subject === issuer;
}

/** What went wrong before the connection stood. */
function explain(cause: unknown): BargeError {
  const hint =
    "if it has no TLS: --plaintext connects without, readable and changeable by all between";
  if (cause instanceof BargeError) {
    if (cause.kind === "unavailable") return new BargeError("unavailable", cause.message, { hint });
    if (cause.kind !== "protocol") return cause;
    const noTls = /InvalidContentType|WRONG_VERSION_NUMBER/.test(String(cause.cause));
    const why = noTls ? "the server does not speak TLS there" : cause.message;
    return new BargeError("identity", why, { hint: noTls ? hint : undefined, cause });
  }
  if (cause instanceof Deno.errors.ConnectionRefused) {
    const hint = "is `barge serve` running?";
    return new BargeError("unavailable", "nothing listens there", { hint, cause });
  }
  const why = cause instanceof Error ? cause.message : String(cause);
  return new BargeError("unavailable", why.replace(/ \(os error \d+\)/, ""), { cause });
}
