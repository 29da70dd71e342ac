/**
 * Serves one SFTP session (draft-ietf-secsh-filexfer-02): answers requests in their order.
 *
 *   new -> (INIT) -> serving -> ended
 *
 * Invariants: requests are served in their order; reads overlap with reads, and writes with writes
 * (clients have 64 and more under way), `maxPending` at a time; any other request waits for all before
 * it. A malformed request gets an error and the session goes on; a malformed packet ends it. At the
 * end, uploads that were not closed become partial uploads.
 */
import { counted } from "../../counted.ts";
import { abandon, giveBack } from "../../disk/buffer_pool.ts";
import { BargeError } from "../../error.ts";
import { note } from "../failure.ts";
import { announce } from "./extended.ts";
import { Handles, type Places } from "./handle.ts";
import { maxPacket, PacketReader, Status, statusPacket, Type } from "./packet.ts";
import { borrowLarge, type Context, type Overlap, type SftpRequest } from "./request.ts";
import { requests } from "./requests.ts";
import { failed } from "./status.ts";
import { Work, type WorkOptions } from "./work.ts";

/** The most answers that may be under way. */
const maxPending = 16;

export class Sftp extends Work implements Context {
  readonly handles: Handles;
  /** Called whenever no request is under way. */
  readonly #onIdle: () => void;
  /** Answers that are not sent yet; each ends after those before it. */
  readonly #pending: Promise<void>[] = [];
  #overlap: Overlap | undefined;
  #working = false;

  constructor(options: WorkOptions, places: Places, onIdle: () => void) {
    super(options);
    this.handles = new Handles(places, options.presence);
    this.#onIdle = onIdle;
  }

  get busy(): boolean {
    return this.#working || this.#pending.length > 0 || this.handles.size > 0;
  }

  async run(): Promise<void> {
    try {
      await this.#greet();
      for (let packet; (packet = await this.#packet());) await this.#serve(packet);
    } catch (error) {
      note(error, this.address);
    } finally {
      await this.#pending.at(-1);
      await this.handles.abandon().catch((error) => note(error, this.address));
      this.bytes.end(0);
    }
  }

  async #greet(): Promise<void> {
    const packet = await this.#packet();
    if (!packet) return;
    if (packet.bytes[0] !== Type.INIT) {
      throw new BargeError("protocol", "the first packet must be INIT");
    }
    await this.bytes.send(announce());
  }

  /** Reads the next packet, without its length; null at the end. @throws {BargeError} `protocol` */
  async #packet(): Promise<Packet | null> {
    const { bytes } = this;
    if (!await bytes.need(4)) return null;
    const length = bytes.take(4).readUInt32BE();
    if (length < 5 || length > maxPacket) {
      throw new BargeError("protocol", `a packet of ${counted(length, "byte")}`);
    }
    if (!await bytes.need(length)) return null;
    const borrowed = borrowLarge(length);
    if (!borrowed) return { bytes: bytes.take(length) };
    const packet = borrowed.subarray(0, length);
    bytes.takeInto(packet);
    return { bytes: packet, borrowed };
  }

  async #serve({ bytes, borrowed }: Packet): Promise<void> {
    const packet = new PacketReader(bytes);
    const type = packet.byte();
    const overlap = requests[type]?.overlaps;
    if (!overlap || overlap !== this.#overlap) await this.#pending.at(-1);
    this.#overlap = overlap;
    this.#working = true;
    const op = requests[type]?.name ?? "ask";
    const request: SftpRequest = { sftp: this, id: packet.int(), packet, op, borrowed };
    const reply = this.#answer(type, request);
    this.#pending.push(this.#send(request, reply, this.#pending.at(-1)));
    if (!overlap) await reply;
    this.#working = false;
    while (this.#pending.length >= maxPending) await this.#pending[0];
  }

  /** Never throws: a failure becomes an answer. */
  async #answer(type: number, request: SftpRequest): Promise<Uint8Array> {
    try {
      const handler = requests[type];
      if (!handler) throw new BargeError("unsupported", `no request has the number ${type}`);
      const reply = await handler.handle(request) ?? statusPacket(request.id, Status.OK);
      request.access?.end("ok");
      return reply;
    } catch (error) {
      const { reply, kind } = failed(request, error);
      request.access?.end(kind);
      if (request.borrowed) abandon(request.borrowed); // a call that was cut may still use it
      request.borrowed = undefined;
      return reply;
    }
  }

  /** Sends an answer after the one before it. Never throws: a broken connection ends the next read. */
  async #send(
    request: SftpRequest,
    reply: Promise<Uint8Array>,
    before: Promise<void> | undefined,
  ): Promise<void> {
    let sent = false;
    try {
      await before;
      const answer = await reply;
      if (!this.bytes.gone) await this.bytes.send(answer);
      sent = true;
    } catch (error) {
      note(error, this.address);
    } finally {
      const { borrowed } = request;
      if (borrowed) (sent ? giveBack : abandon)(borrowed);
      this.#pending.shift();
      if (!this.busy) this.#onIdle();
    }
  }
}

/** A packet without its length. */
interface Packet {
  readonly bytes: Uint8Array;
  /** The buffer of the pool that has the bytes. */
  readonly borrowed?: Uint8Array<ArrayBuffer>;
}
