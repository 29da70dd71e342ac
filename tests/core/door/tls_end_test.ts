/**
 * Connections with TLS that end in the midst of a transfer, at every door that has it: the server
 * notices as soon as the connection is gone, and what was cut off is no file.
 */
import { sessionOf } from "../_session.ts";
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { connect as connectTcp, type Socket } from "node:net";
import { connect as connectTls, type TLSSocket } from "node:tls";
import { Database } from "../../../core/local/database/database.ts";
import type { Door, DoorSpec } from "../../../core/door/door.ts";
import { openDoor as openFtp } from "../../../core/door/ftp/listen.ts";
import { openDoor as openHttp } from "../../../core/door/http/listen.ts";
import { openDoor as openNative } from "../../../core/door/native/listen.ts";
import { bindingOf } from "../../../core/net/channel_binding.ts";
import { makeSelfSigned } from "../../../core/net/self_signed.ts";
import { encodeFrame } from "../../../core/protocol/frame.ts";
import { makeVerifier } from "../../../core/protocol/verifier.ts";
import { prepareData } from "../../../core/serve/data.ts";
import type { Session } from "../../../core/login/session.ts";
import { stat } from "../../../core/session/stat.ts";
import { receive } from "../../../core/upload/receive.ts";
import { Store } from "../../../core/local/store.ts";
import { until } from "../../_observe.ts";
import { nonce, prove } from "../../../core/protocol/scram.ts";

const size = 50_000_000;

/** How a client may be gone. */
const ends: Readonly<Record<string, (tls: TLSSocket, tcp: Socket) => void>> = {
  "a reset": (_, tcp) => tcp.resetAndDestroy(),
  "an end without close_notify": (_, tcp) => tcp.destroy(),
  "close_notify": (tls, tcp) => {
    tls.end();
    setTimeout(() => tcp.destroy(), 0);
  },
};

/** All doors with TLS, in this process, and anna with a large file. */
class Doors implements AsyncDisposable {
  private constructor(
    readonly store: Store,
    readonly doors: readonly Door[],
    readonly token: string,
  ) {}

  static async start(): Promise<Doors> {
    const data = prepareData(await Deno.makeTempDir({ prefix: "barge-tls-end-" }));
    new Database(data, { create: true })[Symbol.dispose]();
    const store = new Store({
      ...{ data, durability: "relaxed", allowRegister: false, defaultLimit: null, maxLimit: null },
    });
    const verifier = await makeVerifier("token", "unused");
    const { id } = store.accounts.add({ name: "anna", role: "user", limit: null, verifier });
    const { token } = await store.tokens.issue(id, "test");
    const tls = await makeSelfSigned(["127.0.0.1"]);
    const ftp = {
      passive: [23_000, 23_499],
      publicAddress: undefined,
      active: false,
      activeLoopback: false,
      sessionReuse: "never",
    } as const;
    const spec = (name: DoorSpec["name"]): DoorSpec => ({
      ...{ name, address: { host: "127.0.0.1", port: 0 }, tls: "require", ftp },
    });
    const opening = (name: DoorSpec["name"]) => ({
      store,
      spec: spec(name),
      reusePort: false,
      tls,
    });
    const doors = [
      await openNative(opening("native")),
      await openHttp(opening("http")),
      await openFtp(opening("ftps")),
    ];
    const here = new Doors(store, doors, token!);
    const upload = await receive(here.session(), {
      path: "/home/big",
      size: null,
      modified: null,
      overwrite: "always",
    });
    await upload.write(new Uint8Array(size));
    await upload.commit(null, true);
    return here;
  }

  session(): Session {
    return sessionOf(this.store, "anna");
  }

  /** Waits until no request is under way at any door. */
  async idle(): Promise<void> {
    await until(() => this.store.roster.here().every(({ verb }) => verb === null));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.doors.map((door) => door.stop(0)));
    this.store[Symbol.dispose]();
    await Deno.remove(this.store.settings.data, { recursive: true });
  }
}

/** A TLS connection, read as slowly as the test wants. */
class Link implements Disposable {
  #bytes = Buffer.alloc(0);

  private constructor(readonly tcp: Socket, readonly tls: TLSSocket) {
    tls.on("error", () => {});
    tcp.on("error", () => {});
  }

  static async open(port: number): Promise<Link> {
    const tcp = connectTcp({ host: "127.0.0.1", port, noDelay: true });
    const tls = connectTls({ socket: tcp, rejectUnauthorized: false });
    const link = new Link(tcp, tls);
    tls.on("data", (bytes: Buffer) => {
      // A download is not read to its end: the server has to wait in the midst of it.
      if (link.#bytes.length > 1_000_000) tls.pause();
      link.#bytes = Buffer.concat([link.#bytes, bytes]);
    });
    await new Promise<void>((resolve, reject) => {
      tls.once("secureConnect", resolve);
      tls.once("error", reject);
    });
    return link;
  }

  send(what: string | Uint8Array): Promise<void> {
    return new Promise((resolve) => this.tls.write(what, () => resolve()));
  }

  /** Returns the received bytes as text once they have a length, or match. */
  async until(wanted: number | RegExp): Promise<string> {
    const text = () => this.#bytes.subarray(0, 4096).toString("latin1");
    await until(() =>
      typeof wanted === "number" ? this.#bytes.length >= wanted : wanted.test(text())
    );
    return text();
  }

  forget(): void {
    this.#bytes = Buffer.alloc(0);
  }

  [Symbol.dispose](): void {
    this.tls.destroy();
    this.tcp.destroy();
  }
}

/** Connections of one transfer; the first one is the one that is cut. */
interface Transfer extends Disposable {
  readonly links: readonly Link[];
}

type Begin = (doors: Doors) => Promise<Transfer>;

const ftpsData = "FTPS STOR, its data connection";
const body = new Uint8Array(300_000).fill(7);

async function native(doors: Doors, request: object): Promise<Link> {
  const link = await Link.open(doors.doors[0].address.port);
  const [, id, secret] = /^barge_([^_]+)_(.+)$/.exec(doors.token)!;
  const ask = async (frame: object) => {
    link.forget();
    await link.send(encodeFrame(frame));
    const text = await link.until(/"ok":(true|false)[^]*\}$/);
    return JSON.parse(text.slice(text.indexOf("{")));
  };
  await ask({ verb: "hello", version: 1 });
  const asked = { mechanism: "token" as const, account: id, nonce: nonce() };
  const { nonce: serverNonce, salt, n, r, p } = await ask({ verb: "auth", ...asked });
  const binding = bindingOf(link.tls.getPeerCertificate().raw);
  const exchange = { ...asked, clientNonce: asked.nonce, serverNonce, salt, n, r, p, binding };
  const { proof } = await prove(secret, exchange);
  await ask({ verb: "proof", proof, binding });
  link.forget();
  await link.send(encodeFrame(request));
  return link;
}

async function https(doors: Doors, head: string): Promise<Link> {
  const link = await Link.open(doors.doors[1].address.port);
  await link.send(`${head}\r\nHost: localhost\r\nAuthorization: Bearer ${doors.token}\r\n\r\n`);
  return link;
}

/** @returns the data connection, and the control connection */
async function ftps(doors: Doors, command: string): Promise<[Link, Link]> {
  const control = await Link.open(doors.doors[2].address.port);
  const ask = async (line: string, code: RegExp) => {
    control.forget();
    await control.send(`${line}\r\n`);
    return await control.until(code);
  };
  await control.until(/^220 /);
  await ask("USER anna", /^331 /);
  await ask(`PASS ${doors.token}`, /^230 /);
  await ask("TYPE I", /^200 /);
  const port = Number(/\|(\d+)\|\)/.exec(await ask("EPSV", /^229 .*\r\n/))![1]);
  const opening = Link.open(port);
  await ask(command, /^150 /);
  control.forget();
  return [await opening, control];
}

function transfer(...links: Link[]): Transfer {
  return { links, [Symbol.dispose]: () => links.forEach((link) => link[Symbol.dispose]()) };
}

const downloads: Readonly<Record<string, Begin>> = {
  "native get": async (doors) => transfer(await native(doors, { verb: "get", path: "/home/big" })),
  "HTTPS GET": async (doors) => transfer(await https(doors, "GET /api/v1/files/home/big HTTP/1.1")),
  "HTTPS archive": async (doors) =>
    transfer(await https(doors, "GET /api/v1/files/home?archive=tar HTTP/1.1")),
  "FTPS RETR, its data connection": async (doors) =>
    transfer(...await ftps(doors, "RETR /home/big")),
  "FTPS RETR, its control connection": async (doors) =>
    transfer(...(await ftps(doors, "RETR /home/big")).reverse()),
};

const uploads: Readonly<Record<string, Begin>> = {
  "native put": async (doors) => {
    const link = await native(doors, { verb: "put", path: "/home/f", size });
    await link.until(/"ok":true/);
    await link.send(encodeFrame({ offset: 0, body: size }));
    await link.send(body);
    return transfer(link);
  },
  "HTTPS PUT with a length": async (doors) => {
    const link = await https(
      doors,
      `PUT /api/v1/files/home/f HTTP/1.1\r\nContent-Length: ${size}`,
    );
    await link.send(body);
    return transfer(link);
  },
  "HTTPS PUT in chunks": async (doors) => {
    const head = "PUT /api/v1/files/home/f HTTP/1.1\r\nTransfer-Encoding: chunked";
    const link = await https(doors, head);
    await link.send(`${body.length.toString(16)}\r\n`);
    await link.send(body);
    await link.send("\r\n");
    return transfer(link);
  },
  "FTPS STOR, its control connection": async (doors) => {
    const [data, control] = await ftps(doors, "STOR /home/f");
    await data.send(body);
    return transfer(control, data);
  },
  [ftpsData]: async (doors) => {
    const links = await ftps(doors, "STOR /home/f");
    await links[0].send(body);
    return transfer(...links);
  },
};

Deno.test("TLS: a client that leaves a download is noticed at once, at every door", async (t) => {
  await using doors = await Doors.start();
  for (const [name, begin] of Object.entries(downloads)) {
    for (const [how, end] of Object.entries(ends)) {
      await t.step(`${name}: ${how}`, async () => {
        using begun = await begin(doors);
        const [cut, other] = begun.links;
        const data = /control/.test(name) ? other : cut;
        await data.until(1_000_000);
        end(cut.tls, cut.tcp);
        if (other === undefined) await until(() => doors.doors[0].connections === 0);
        else if (data === cut) await other.until(/^426 /);
        await doors.idle();
      });
    }
  }
});

Deno.test("TLS: an upload that is cut is noticed at once, at every door, and is no file", async (t) => {
  await using doors = await Doors.start();
  for (const [name, begin] of Object.entries(uploads)) {
    for (const [how, end] of Object.entries(ends)) {
      // The one end that proves that all has been sent.
      if (name === ftpsData && how === "close_notify") continue;
      await t.step(`${name}: ${how}`, async () => {
        using begun = await begin(doors);
        const [cut, other] = begun.links;
        const receiving = () => doors.store.roster.here().find(({ verb }) => verb === "put");
        await until(() => receiving()?.bytes === body.length);
        end(cut.tls, cut.tcp);
        if (name === ftpsData) await other.until(/^426 .*300000 bytes are kept/);
        await doors.idle();
        const { entry, upload } = await stat(doors.session(), "/home/f");
        assert.equal(entry, null);
        // An end that is a failure may overtake bytes that Node's server has not handed on yet.
        if (/^HTTPS/.test(name) && how !== "close_notify") {
          assert.ok((upload?.offset ?? 0) <= body.length);
        } else assert.equal(upload?.offset, body.length);
      });
    }
  }
});
