/**
 * The wire format of BARGE/1, for clients, servers, proxies and tests. PROTOCOL.md defines it.
 *
 * - Frames: {@link encodeFrame} makes one; {@link Decoder} turns bytes into frames and pieces of
 *   bodies without I/O; {@link FrameReader} does so for anything that reads into a buffer.
 * - Messages: {@link parseRequest}, {@link parseAnswer} and {@link parseBodyFrame} check a frame's
 *   fields and type them by verb; {@link failure} makes the answer that reports an error.
 * - Login: {@link prove} is the client's side of the challenge-response, {@link verify} the server's;
 *   {@link makeVerifier} derives the record that a server keeps of a password or token.
 *
 * Failures are {@link BargeError}s: `protocol` for a peer that breaks the rules, `unsupported` for
 * an unknown verb, mechanism or algorithm.
 *
 * @example
 * ```ts
 * import { Decoder, encodeFrame, parseRequest } from "./mod.ts";
 *
 * const decoder = new Decoder();
 * decoder.push(encodeFrame({ verb: "list", path: "/home" }));
 * const event = decoder.next();
 * if (event?.type !== "frame") throw new Error();
 * const request = parseRequest(event.value);
 * if (request.verb !== "list" || request.recursive) throw new Error();
 * ```
 *
 * @module
 */
export { BargeError, type ErrorFacts, type Kind, kinds } from "../error.ts";
export { errorFromWire, failure, wireErrors } from "./failure.ts";
export {
  aliveChunkLength,
  type Body,
  Decoder,
  encodeChunkHead,
  encodeFrame,
  type FrameEvent,
  type FrameValue,
  maxFrame,
  maxFrameBeforeLogin,
} from "./frame.ts";
export {
  type Answer,
  type AnswerName,
  batchLimits,
  type BodyFrame,
  type Entry,
  maxEagerBytes,
  type Omission,
  type Overwrite,
  parseAnswer,
  parseBodyFrame,
  parseRequest,
  type PartialUpload,
  type Request,
  type RequestInput,
  type RequestStats,
  type Server,
  type SessionStatus,
  type Trailer,
  type Usage,
  type Verb,
  verbOf,
  verbs,
  type Verifier,
  version,
} from "./message.ts";
export { describeOmission } from "./omission.ts";
export { checkNewPassword, defaultMinPasswordLength } from "./password.ts";
export { type Frame, FrameReader, type Source } from "./reader.ts";
export {
  acceptableCosts,
  costs,
  type Exchange,
  type Mechanism,
  nonce,
  prove,
  tokenCosts,
} from "./scram.ts";
export type { Costs } from "./stretch.ts";
export { parseTime } from "./time.ts";
export { makeVerifier, matches, verify } from "./verifier.ts";
