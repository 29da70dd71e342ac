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
import { BargeError } from "../../error.ts";
import type { Session } from "../../login/session.ts";
import { Access } from "../access.ts";
import { note } from "../failure.ts";
import type { Context } from "./context.ts";
import { announce } from "./extended.ts";
import { Handles, type Places } from "./handle.ts";
import { maxPacket } from "./limits.ts";
import { PacketReader, Type } from "./packet.ts";
import type { Overlap, RequestFacts } from "./request.ts";
import { requests } from "./requests.ts";
import { failed } from "./status.ts";
import type { Work, WorkOptions } from "./work.ts";

/** The most answers that may be under way. */
const maxPending = 16;

export interface SftpOptions extends WorkOptions {
  readonly places: Places;
  /** Called whenever no request is under way. */
  readonly onIdle: () => void;
}

export class Sftp implements Context, Work {
  readonly session: Session;
  readonly account: string;
  readonly handles: Handles;
  readonly ended: AbortSignal;
  leaving = false;
  readonly #options: SftpOptions;
  /** Answers that are not sent yet; each ends after those before it. */
  readonly #pending: Promise<void>[] = [];
  #overlap: Overlap | undefined;
  #working = false;

  constructor(options: SftpOptions) {
    this.#options = options;
    this.session = options.session;
    this.account = options.account;
    this.ended = options.ended;
    this.handles = new Handles(options.places, options.presence);
  }

  get busy(): boolean {
    return this.#working || this.#pending.length > 0 || this.handles.size > 0;
  }

  leave(): void {
    this.leaving = true;
  }

  async run(): Promise<void> {
    const { bytes, address } = this.#options;
    try {
      await this.#greet();
      for (let packet; (packet = await this.#packet());) await this.#serve(packet);
    } catch (error) {
      note(error, address);
    } finally {
      await this.#pending.at(-1);
      try {
        await this.handles.abandon();
      } catch (error) {
        note(error, address);
      }
      bytes.end(0);
    }
  }

  access(verb: string, path: string | null, to?: string): Access {
    const { address, account } = this.#options;
    const access = new Access(
      { door: "sftp", address, verb, path, to },
      this.session.store.metrics,
    );
    access.account = account;
    return access;
  }

  async #greet(): Promise<void> {
    const packet = await this.#packet();
    if (!packet) return;
    if (packet[0] !== Type.INIT) throw new BargeError("protocol", "the first packet must be INIT");
    await this.#options.bytes.send(announce());
  }

  /** Reads the next packet, without its length; null at the end. @throws {BargeError} `protocol` */
  async #packet(): Promise<Uint8Array | null> {
    const { bytes } = this.#options;
    if (!await bytes.need(4)) return null;
    const length = bytes.peekInt();
    if (length < 5 || length > maxPacket) {
      throw new BargeError("protocol", `a packet of ${length} bytes`);
    }
    if (!await bytes.need(4 + length)) return null;
    return bytes.take(4 + length).subarray(4);
  }

  async #serve(packet: Uint8Array): Promise<void> {
    const reader = new PacketReader(packet);
    const type = reader.byte();
    const id = reader.int();
    const request = requests[type];
    if (!request?.overlaps || request.overlaps !== this.#overlap) await this.#pending.at(-1);
    this.#overlap = request?.overlaps;
    this.#working = true;
    const reply = this.#answer(id, type, reader);
    this.#send(reply);
    if (!this.#overlap) await reply;
    this.#working = false;
    while (this.#pending.length >= maxPending) await this.#pending[0];
  }

  /** Never throws: a failure becomes an answer. */
  async #answer(id: number, type: number, reader: PacketReader): Promise<Uint8Array> {
    const request = requests[type];
    const facts: RequestFacts = { op: request?.name ?? "ask" };
    try {
      if (!request) throw new BargeError("unsupported", `no request has the number ${type}`);
      const reply = await request.handle(this, id, reader, facts);
      facts.access?.end("ok");
      return reply;
    } catch (error) {
      const { reply, kind } = failed(id, error, facts);
      facts.access?.end(kind);
      return reply;
    }
  }

  #send(reply: Promise<Uint8Array>): void {
    const before = this.#pending.at(-1);
    this.#pending.push(this.#sendBehind(before, reply));
  }

  /** Never throws: a broken connection also fails the next read. */
  async #sendBehind(before: Promise<void> | undefined, reply: Promise<Uint8Array>): Promise<void> {
    const { bytes, address } = this.#options;
    try {
      await before;
      const answer = await reply;
      if (!bytes.gone) await bytes.send(answer);
    } catch (error) {
      note(error, address);
    } finally {
      this.#pending.shift();
      if (!this.busy) this.#options.onIdle();
    }
  }
}
