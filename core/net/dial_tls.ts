/**
 * Connects with TLS and returns the server's certificate, so that the caller can decide to trust it
 * before it sends anything. The handshake proves that the other end of this connection has the
 * certificate's key, whether or not the certificate is trusted (tests check that the runtime ensures it).
 *
 * Uses Node's TLS, because Deno's own does not report the certificate, and can trust a pinned one only
 * in addition to all public authorities, not in place of them. Over loopback on two cores, Node's TLS
 * moves about 200 MB/s, half as much as Deno's.
 */
import { BargeError } from "../error.ts";
import { type Address, formatAddress } from "./address.ts";
import { type CertificateFacts, describeCertificate } from "./certificate.ts";
import { bindingOf } from "./channel_binding.ts";
import { connect } from "./connect.ts";
import type { Pipe } from "./stream.ts";
import { alpn, TlsPipe } from "./tls_pipe.ts";

/** The certificate of a server that has proved to have the certificate's key. */
export interface PresentedCertificate extends CertificateFacts {
  /** Whether it was issued for the dialed name, by an authority that this machine trusts. */
  readonly vouched: boolean;
  /** The reason why it is not `vouched`; empty if it is. */
  readonly why: string;
}

const defaultHint =
  "if the server has no TLS, use --plaintext: anyone on the way can then read and change the data";

const ownPort = "barge:// has a port of its own, which `barge serve` prints (`native`)";
const httpsPortHint = `that may be its HTTPS port: ${ownPort}`;
const refusedHint = `that may be the port of another protocol, such as FTPS: ${ownPort}`;
const otherHint =
  `the server's log may have the reason, and the port may be a wrong one: ${ownPort}`;

export interface DialTlsOptions {
  /** The hint for a server that does not speak TLS. Default: to use --plaintext. */
  readonly plainHint?: string;
  /** The connection that is being opened to the address. Default: a new one. */
  readonly connecting?: Promise<Pipe>;
}

/**
 * Connects with TLS.
 *
 * @param signal cancels the attempt
 * @returns a connection whose certificate is not trusted yet; the caller closes it
 * @throws {BargeError} `unavailable`; `identity` when the TLS handshake fails; the signal's reason
 */
export async function dialTls(
  address: Address,
  signal: AbortSignal,
  { plainHint = defaultHint, connecting = connect(address, signal) }: DialTlsOptions = {},
): Promise<{ readonly pipe: Pipe; readonly presented: PresentedCertificate }> {
  const first = await handshake(address, signal, plainHint, connecting);
  const { vouched, subject, issuer } = first.presented;
  if (vouched || subject === issuer) return first;
  // An authority issued the certificate. Deno trusts only Mozilla's list by default; add the system's.
  const { getCACertificates } = await import("node:tls");
  const ca = [...getCACertificates("default"), ...getCACertificates("system")];
  first.pipe.close();
  return await handshake(address, signal, plainHint, connect(address, signal), ca);
}

async function handshake(
  address: Address,
  signal: AbortSignal,
  plainHint: string,
  connecting: Promise<Pipe>,
  ca?: string[],
) {
  const { host } = address;
  const pipe = await beginTls(new PendingPipe(connecting), host, ca);
  try {
    await connecting;
  } catch (error) {
    pipe.abandon();
    throw error;
  }
  const abort = () => pipe.close();
  signal.addEventListener("abort", abort, { once: true });
  try {
    if (signal.aborted) abort();
    await pipe.handshake();
    const { socket } = pipe;
    const certificate = socket.getPeerCertificate();
    if (!certificate?.raw) throw new BargeError("identity", "the server shows no certificate");
    const why = socket.authorized ? "" : String(socket.authorizationError ?? "not verified");
    const shown = describeCertificate(certificate.raw);
    pipe.tlsBinding = bindingOf(certificate.raw);
    return { pipe, presented: { ...shown, vouched: socket.authorized, why } };
  } catch (cause) {
    pipe.close();
    const facts = { op: "connect to", path: formatAddress(address) };
    throw signal.aborted ? signal.reason : explain(cause, plainHint).with(facts);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

/** Begins TLS over a connection. @throws the failure to begin; then the connection is closed */
async function beginTls(below: Pipe, host: string, ca?: string[]): Promise<TlsPipe> {
  try {
    // Loading TLS and its authorities takes about as long as connecting to a distant server.
    const { connect: connectTls } = await import("node:tls");
    const options = { host, ca, rejectUnauthorized: false, minVersion: "TLSv1.2" } as const;
    return new TlsPipe(
      below,
      (socket) => connectTls({ ...options, socket, ALPNProtocols: [alpn] }),
    );
  } catch (error) {
    below.close();
    throw error;
  }
}

/** A connection that is being opened: reading and writing wait for it. */
class PendingPipe implements Pipe {
  readonly #opening: Promise<Pipe>;
  #open: Pipe | undefined;

  constructor(opening: Promise<Pipe>) {
    this.#opening = opening.then((pipe) => this.#open = pipe);
    this.#opening.catch(() => {/* reading and writing fail */});
  }

  read(into: Uint8Array): Promise<number | null> {
    return this.#open?.read(into) ?? this.#opening.then((pipe) => pipe.read(into));
  }

  write(bytes: Uint8Array): Promise<number> {
    return this.#open?.write(bytes) ?? this.#opening.then((pipe) => pipe.write(bytes));
  }

  closeWrite(): Promise<void> {
    return this.#open?.closeWrite() ?? this.#opening.then((pipe) => pipe.closeWrite());
  }

  close(): void {
    if (this.#open) this.#open.close();
    else this.#opening.then((pipe) => pipe.close(), () => {/* nothing is open */});
  }
}

/** Returns a failure to connect as a BargeError. */
function explain(cause: unknown, hint: string): BargeError {
  if (cause instanceof BargeError) {
    if (cause.kind === "unavailable") return new BargeError("unavailable", cause.message, { hint });
    if (cause.kind !== "protocol") return cause;
    return explainTls(cause, hint);
  }
  const why = cause instanceof Error ? cause.message : String(cause);
  return new BargeError("unavailable", why.replace(/ \(os error \d+\)/, ""), { cause });
}

/** Returns a failed handshake as an `identity` error. */
function explainTls(cause: BargeError, plainHint: string): BargeError {
  const failure = String(cause.cause);
  let { message } = cause;
  let hint = otherHint;
  if (/InvalidContentType|WRONG_VERSION_NUMBER/.test(failure)) {
    message = "the server does not speak TLS there";
    hint = plainHint;
  } else if (/NoApplicationProtocol/.test(failure)) {
    message = "the server speaks TLS there, but not barge's protocol";
    hint = httpsPortHint;
  } else if (/HandshakeFailure/.test(failure)) {
    message = "the server refused the TLS handshake";
    hint = refusedHint;
  }
  return new BargeError("identity", message, { hint, cause });
}
