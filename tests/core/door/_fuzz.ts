/**
 * A fuzzer of the wire: valid conversations, mutated in their fields or their bytes, and plain
 * noise, over real sockets. Each case follows from its seed alone. Whatever a client sends and then
 * ends, the server answers in whole frames and ends the connection soon.
 */
import assert from "node:assert/strict";
import { BargeError } from "../../../core/error.ts";
import { encodeChunkHead } from "../../../core/protocol/frame.ts";
import { Random } from "../../_random.ts";
import { type Bytes, eager, join, Peer, type Piece, sha256 } from "./_peer.ts";

export interface Fuzz {
  /** HOST:PORT of the server. */
  readonly address: string;
  /** Of an account that a case may do anything to. */
  readonly token: string;
  readonly seed: number;
  readonly cases: number;
  /** Told after each case. */
  readonly onCase?: (done: number) => void;
}

/** So many cases run at once. */
const abreast = 8;
/** The server is given so long to end a connection whose client has ended, in ms. */
const patience = 20_000;

/** How often what was answered: `ok`, or a failure's kind. */
export type Answers = Map<string, number>;

/**
 * @returns what the server answered
 * @throws {Error} naming the seed of a case that failed: with `cases: 1` it comes back
 */
export async function fuzz({ address, token, seed, cases, onCase }: Fuzz): Promise<Answers> {
  const answers: Answers = new Map();
  let [next, done] = [0, 0];
  const run = async () => {
    while (next < cases) {
      const own = seed + next++;
      try {
        await runCase(address, token, new Random(own), answers);
      } catch (error) {
        throw new Error(`seed ${own}: ${(error as Error).message}`, { cause: error });
      }
      onCase?.(++done);
    }
  };
  await Promise.all(Array.from({ length: abreast }, run));
  return answers;
}

async function runCase(
  address: string,
  token: string,
  random: Random,
  answers: Answers,
): Promise<void> {
  const kind = random.next();
  if (kind < 0.1) {
    using peer = await Peer.connect(address);
    return await speak(peer, random, answers, random.bytes(random.below(3000)));
  }
  if (kind < 0.3) {
    using peer = await Peer.connect(address);
    return await speak(peer, random, answers, mutated(random, strangers(random)));
  }
  using peer = await Peer.open(address, token);
  const requests = Array.from({ length: 1 + random.below(8) }, () => request(random));
  await speak(peer, random, answers, mutated(random, requests.flat()));
}

/** Sends all and ends, in some way; what comes back must be frames. */
async function speak(
  peer: Peer,
  random: Random,
  answers: Answers,
  bytes: Uint8Array,
): Promise<void> {
  const cut = random.chance(0.2);
  const parts = random.chance(0.2) ? 1 + random.below(20) : 1;
  const sending = (async () => {
    for (let i = 0; i < parts; i++) {
      const [from, to] = [i, i + 1].map((n) => Math.floor(bytes.length * n / parts));
      await peer.stream.write(bytes.subarray(from, to));
    }
    if (cut) peer.stream.close();
    else await peer.stream.end();
  })().catch(gone);
  peer.stream.idleTimeoutMs = patience;
  const reading = (async () => {
    for (let frame; (frame = await peer.reader.frame());) {
      const { ok, error } = frame.value as { ok?: boolean; error?: { kind: string } };
      if (ok === false) assert.equal(typeof error?.kind, "string", JSON.stringify(frame.value));
      const what = ok ? "ok" : error?.kind ?? "trailer";
      answers.set(what, (answers.get(what) ?? 0) + 1);
      if (frame.body !== undefined) await peer.reader.skip();
    }
  })().catch(gone);
  await Promise.all([sending, reading]);
}

/** A connection that the server cuts is as good as one that it ends; one that it forgets is not. */
function gone(error: unknown): void {
  if (!(error instanceof BargeError) || error.kind !== "unavailable") throw error;
  if (/(sent|read) nothing/.test(error.message)) throw error;
}

/** What comes before a login, of an account that there is not: no password is guessed. */
function strangers(random: Random): Piece[] {
  const base64 = (length: number) => btoa(String.fromCharCode(...random.bytes(length)));
  const mechanism = random.pick(["password", "token"]);
  const verifier = {
    ...{ salt: base64(16), n: 32768, r: 8, p: 1 },
    ...{ storedKey: base64(32), serverKey: base64(32) },
  };
  const pieces: Piece[] = [
    { verb: "hello", version: 1, agent: "fuzz" },
    { verb: "auth", mechanism, account: "nobody", nonce: base64(24) },
    { verb: "proof", proof: base64(32) },
    { verb: "ping" },
    { verb: "register", account: "eve", verifier },
    ...request(random),
    { verb: "bye" },
  ];
  if (!random.chance(0.3)) pieces.splice(2, 1); // a failed login may be made to wait
  return pieces;
}

const paths = ["/home/a", "/home/b", "/home/d", "/home/d/x", "/home/d/y", "/public/f", "/public/d"];

function request(random: Random): Piece[] {
  const path = random.pick(paths);
  const overwrite = random.pick(["always", "never", { sha256: "0".repeat(64) }]);
  const recursive = random.chance(0.5);
  const content = random.bytes(random.below(2000));
  const large = () => new Uint8Array(270_000 + random.below(100_000)).fill(random.below(256));
  return random.pick<() => Piece[]>([
    () => [{ verb: "list", path: random.pick(["/", "/home", "/public", path]), recursive }],
    () => [{ verb: "stat", path }],
    () => [{ verb: "get", path, offset: random.pick([0, 0, 1, 100_000]) }],
    () => [eager(path, content, { overwrite, modified: "2026-11-23T10:00:00Z" })],
    () => [eager(path, content)],
    () => waiting(path, content.length, content),
    () => waiting(path, null, content),
    () => {
      const bytes = large();
      return waiting(path, bytes.length, bytes);
    },
    () => [{ verb: "mkdir", path, parents: recursive }],
    () => [{ verb: "move", from: path, to: random.pick(paths), overwrite }],
    () => [{ verb: "copy", from: path, to: random.pick(paths), overwrite }],
    () => [{ verb: "remove", path, recursive }],
    () => [{ verb: "digest", path, algorithm: random.pick(["sha256", "md5"]), fresh: recursive }],
    () => [{ verb: "quota" }],
    () => [{ verb: "grow", limit: random.below(10_000_000) }],
    () => [{ verb: "token", action: "revoke", id: "none" }],
    () => [{ verb: "levitate", body: content.length }, content, { sha256: null }],
    () => [{ verb: "ping" }],
  ])();
}

/** A waiting upload whose sender does not wait. */
function waiting(path: string, size: number | null, bytes: Bytes): Piece[] {
  const trailer = { sha256: sha256(bytes) };
  if (size !== null) {
    return [{ verb: "put", path, size }, { offset: 0, body: bytes.length }, bytes, trailer];
  }
  const half = bytes.length >> 1;
  const chunks = [bytes.subarray(0, half), bytes.subarray(half)].filter((part) => part.length > 0)
    .flatMap((part) => [encodeChunkHead(part.length), part]);
  return [
    { verb: "put", path, size },
    { offset: 0, body: "chunked" },
    ...chunks,
    encodeChunkHead(0),
    trailer,
  ];
}

const odd: readonly unknown[] = [
  ...[null, true, -1, 0, 0.5, 1, 255, 262_145, 2 ** 31, 2 ** 53, 1e308],
  ...["", "/", "/home", "/home/../a", "/home/\0", "/home/" + "n".repeat(300), "chunked", "é\ud800"],
  ...[[], {}, [[[]]], { sha256: null }, "x".repeat(5000)],
];

function mutated(random: Random, pieces: Piece[]): Bytes {
  const fields = pieces.map((piece) =>
    piece instanceof Uint8Array || !random.chance(0.25) ? piece : oddly(random, piece)
  );
  if (random.chance(0.1)) fields.splice(random.below(fields.length), 1);
  let bytes = join(...fields);
  for (let n = random.pick([0, 1, 1, 2, 5]); n > 0 && bytes.length > 0; n--) {
    bytes = scratched(random, bytes);
  }
  return bytes;
}

/** One field is another's, gone, or new. */
function oddly(random: Random, piece: object): Piece {
  const fields = Object.entries(piece);
  const at = random.below(fields.length + 1);
  if (random.chance(0.2)) fields.splice(at, 1);
  else {
    const name = fields[at]?.[0] ?? random.pick(["body", "sha256", "size", "x", "__proto__"]);
    fields.splice(at, 1, [name, random.pick(odd)]);
  }
  return Object.fromEntries(fields);
}

function scratched(random: Random, bytes: Bytes): Bytes {
  const at = random.below(bytes.length);
  const length = 1 + random.below(Math.min(200, bytes.length - at));
  const [before, part, after] = [
    bytes.subarray(0, at),
    bytes.slice(at, at + length),
    bytes.subarray(at + length),
  ];
  switch (random.below(6)) {
    case 0:
      part[0] ^= 1 << random.below(8);
      return join(before, part, after);
    case 1:
      return join(before, after);
    case 2:
      return join(before, random.bytes(length), part, after);
    case 3:
      return join(before, part, part, after);
    case 4:
      return join(before);
    default:
      return join(before, random.bytes(length), after);
  }
}
