/**
 * Connects with TLS, and hands the server's certificate to whoever decides on it before anything
 * else is sent. The decision is on this very connection: the handshake has proved that the other
 * end has the certificate's key (that is checked whether or not the certificate is trusted; a test
 * holds the runtime to it), so nobody can step in between looking and trusting.
 *
 * Node's TLS and not Deno's own: Deno's tells nobody which certificate it was shown, and takes a
 * pinned one only beside all public authorities. It costs: 250 to 340 MB/s over loopback on two
 * cores, where Deno's own makes 390 to 570.
 */
import { BargeError } from "../error.ts";
import { type Address, formatAddress } from "./address.ts";
import { type CertificateFacts, describeCertificate } from "./certificate.ts";
import { alpn, NodePipe } from "./node_pipe.ts";
import type { Pipe } from "./stream.ts";

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
  signal.throwIfAborted();
  const { host, port } = address;
  const socket = connect({
    host,
    port,
    ca,
    rejectUnauthorized: false,
    ALPNProtocols: [alpn],
    minVersion: "TLSv1.2",
  });
  const abort = () => socket.destroy(asError(signal.reason));
  signal.addEventListener("abort", abort, { once: true });
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once("secureConnect", resolve);
      socket.once("error", reject);
      socket.once("close", () => reject(new Error("the server closed the connection")));
    });
    const certificate = socket.getPeerCertificate();
    if (!certificate?.raw) throw new BargeError("identity", "the server shows no certificate");
    const why = socket.authorized ? "" : String(socket.authorizationError ?? "not verified");
    const facts = describeCertificate(certificate.raw);
    return { pipe: new NodePipe(socket), presented: { ...facts, vouched: socket.authorized, why } };
  } catch (cause) {
    socket.destroy();
    if (signal.aborted) throw signal.reason;
    throw explain(cause).with({ op: "connect to", path: formatAddress(address) });
  } finally {
    signal.removeEventListener("abort", abort);
    socket.on("error", () => {/* the pipe keeps it for whoever reads or writes */});
  }
}

function selfSigned({ subject, issuer }: CertificateFacts): boolean {
  return subject === issuer;
}

/** What went wrong before the connection stood. */
function explain(cause: unknown): BargeError {
  if (cause instanceof BargeError) return cause;
  const error = cause instanceof Error ? cause : new Error(String(cause));
  const code = String((error as { code?: unknown }).code ?? "");
  if (code === "ERR_SSL_WRONG_VERSION_NUMBER" || /InvalidContentType/.test(error.message)) {
    return new BargeError("identity", "the server does not speak TLS there", {
      hint: "--plaintext connects without, readable and changeable by all between",
      cause,
    });
  }
  if (code === "ECONNREFUSED") {
    const hint = "is `barge serve` running?";
    return new BargeError("unavailable", "nothing listens there", { hint, cause });
  }
  if (/before secure TLS connection|the server closed the connection/.test(error.message)) {
    return new BargeError("unavailable", "the server hung up before TLS was established", {
      hint:
        "if it has no TLS: --plaintext connects without, readable and changeable by all between",
      cause,
    });
  }
  if (/^ERR_(SSL|TLS)_|^CERT_|_CERT_/.test(code)) {
    return new BargeError("identity", `the TLS handshake failed: ${error.message}`, { cause });
  }
  return new BargeError("unavailable", error.message.replace(/ \(os error \d+\)/, ""), { cause });
}

function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(String(reason));
}
