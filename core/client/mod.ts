/**
 * A client of barge's native protocol, BARGE/1.
 *
 * {@link open} connects and logs in; the verbs are functions whose first argument is the
 * connection. Requests may be sent before earlier ones are answered. Failures are
 * {@link BargeError}s with a stable `kind`; `closed` of the connection is set once it is unusable.
 *
 * ## Credentials
 *
 * `credentials` is `{ account, password }` or `{ token }`; with a second factor, a password needs a
 * `code`, too. Neither a password nor a token crosses the wire: client and server prove to each other
 * that they know it, and over TLS the proof is bound to the server's certificate. {@link issueToken} makes a token, {@link revokeToken} ends it.
 *
 * ## Trust
 *
 * Connections to other hosts use TLS unless `tls` is false. The server's certificate is accepted if
 *
 * - it has the fingerprint `trust.pin` (`barge cert` at the server prints it), or, without a pin,
 * - the file `trust.knownHosts` has its fingerprint for this server, or, without an entry there,
 * - an authority of this machine vouches for it (the system's list, or Mozilla's), or
 * - `trust.knownHosts` is set: then the first certificate is added to the file, and
 *   `trust.onPinned` is called with it.
 *
 * Otherwise {@link open} fails with kind `identity`.
 *
 * @example
 * ```ts ignore
 * import { get, open, parseFingerprint, put } from "./mod.ts";
 *
 * await using client = await open("barge://files.example", {
 *   credentials: { account: "anna", password: "correct horse" },
 *   trust: {
 *     knownHosts: undefined,
 *     pin: parseFingerprint("SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU"),
 *   },
 * });
 * const { error } = await put(client, ["report.pdf"], "/home/");
 * if (error) throw error;
 * await get(client, ["/home/photos"], ".", { recursive: true, update: true });
 * ```
 *
 * @module
 */
export { BargeError, type ErrorFacts, type Kind, kinds } from "../error.ts";
export { type Fingerprint, parseFingerprint } from "../net/fingerprint.ts";
export type { Trust } from "../net/trust.ts";
export type {
  Answer,
  Entry,
  Omission,
  Overwrite,
  PartialUpload,
  Usage,
} from "../protocol/message.ts";
export type { Client } from "./client.ts";
export { connect, type ConnectOptions } from "./connect.ts";
export { copy, mkdir, type MkdirOptions, move, remove, type RemoveOptions } from "./change.ts";
export { digest, type DigestOptions } from "./digest.ts";
export type { Output } from "./download/downloader.ts";
export type { FilterOptions } from "./filter/options.ts";
export { get, type GetOptions } from "./get.ts";
export { list, listAll, type ListOptions } from "./list.ts";
export { type Credentials, type Login, login } from "./login.ts";
export { open, type OpenOptions } from "./open.ts";
export { dropPartial, partials } from "./partial.ts";
export { type NewPassword, passwd, register } from "./password.ts";
export { ping } from "./ping.ts";
export { put, type PutOptions } from "./put.ts";
export { grow, quota } from "./quota.ts";
export { type RateClock, RateLimit } from "./rate_limit.ts";
export { formatRemote, parseRemote, type Remote } from "./remote.ts";
export { entryAt, stat } from "./stat.ts";
export { type Status, status } from "./status.ts";
export { type IssuedToken, issueToken, revokeToken } from "./token.ts";
export {
  disableTotp,
  enableTotp,
  renewRecoveryCodes,
  type TotpProof,
  type TotpState,
  totpState,
} from "./totp.ts";
export type { MaxDelete } from "./transfer/brake.ts";
export type { Totals, TransferEvent, TransferResult } from "./transfer/events.ts";
export type { TransferOptions } from "./transfer/options.ts";
export type { Content } from "./upload/send.ts";
