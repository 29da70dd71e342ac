/**
 * Debian's pebble, a certificate authority that speaks ACME, with its deliberate faults; and its server of names, for
 * which each name is this machine.
 */
import assert from "node:assert/strict";
import { Proxy } from "../core/shared/_proxy.ts";
import { pairFor } from "../core/net/_tls.ts";
import { until } from "../_observe.ts";

/** Whether pebble is installed; otherwise its tests are skipped. */
export const hasPebble: boolean = ["pebble", "pebble-challtestsrv"].every((name) => {
  try {
    return Deno.statSync(`/usr/bin/${name}`).isFile;
  } catch {
    return false;
  }
});

export interface PebbleOptions {
  /** The life of a certificate, in seconds. Default: 90 days. */
  readonly validSeconds?: number;
  /** Keys by their ids: accounts are made only with the binding to one. */
  readonly externalKeys?: Readonly<Record<string, string>>;
  /** Variables that choose its faults. */
  readonly env?: Readonly<Record<string, string>>;
}

const usualFaults = {
  PEBBLE_VA_NOSLEEP: "1",
  PEBBLE_WFE_NONCEREJECT: "30",
  PEBBLE_AUTHZREUSE: "0",
};

export class Pebble implements AsyncDisposable {
  readonly #folder: string;
  readonly #children: Deno.ChildProcess[] = [];
  readonly #options: PebbleOptions;
  readonly #ca = { hostname: "127.0.0.1", port: 0 };
  readonly #http = { hostname: "127.0.0.1", port: 0 };
  readonly #tls = { hostname: "127.0.0.1", port: 0 };
  /** In front of the authority, of port 80 and of port 443 of all names. */
  readonly ca = new Proxy(this.#ca);
  readonly http = new Proxy(this.#http);
  readonly tls = new Proxy(this.#tls);
  /** Called with the first part of the path of each request, before it is answered. */
  onRequest: (path: string) => void = () => {};
  #output = "";

  private constructor(folder: string, options: PebbleOptions) {
    this.#folder = folder;
    this.#options = options;
  }

  static async start(options: PebbleOptions = {}): Promise<Pebble> {
    const folder = await Deno.makeTempDir({ prefix: "barge-pebble-" });
    const pebble = new Pebble(folder, options);
    const { cert, key } = await pairFor();
    await Deno.writeTextFile(`${folder}/cert.pem`, cert);
    await Deno.writeTextFile(`${folder}/key.pem`, key);
    await Deno.writeTextFile(`${folder}/config.json`, JSON.stringify(pebble.#config()));
    await pebble.#run();
    return pebble;
  }

  /** The options that let a server use it. */
  get args(): string[] {
    const directory = `https://127.0.0.1:${this.ca.port}/dir`;
    return ["--acme-directory", directory, "--acme-ca", `${this.#folder}/cert.pem`];
  }

  /** All that it wrote so far. */
  get output(): string {
    return this.#output;
  }

  /** The first parts of the paths of all requests that it has taken, in their order. */
  get requests(): string[] {
    const lines = this.#output.matchAll(/(?:GET|HEAD|POST) \/([\w-]+)\S* -> calling handler/g);
    return Array.from(lines, ([, path]) => path);
  }

  /** Lets the names lead to the ports of a server. @param ports each HOST:PORT */
  lead(ports: { readonly http?: string | null; readonly tls?: string | null }): void {
    const portOf = (address: string | null | undefined) => Number(address?.split(":").at(-1) ?? 0);
    this.#http.port = portOf(ports.http);
    this.#tls.port = portOf(ports.tls);
  }

  /** Ends it, and starts it again without anything that it knew. */
  async restart(): Promise<void> {
    await this.#end();
    await this.#run();
  }

  #config() {
    const { externalKeys } = this.#options;
    return {
      pebble: {
        listenAddress: "127.0.0.1:0",
        managementListenAddress: "",
        certificate: `${this.#folder}/cert.pem`,
        privateKey: `${this.#folder}/key.pem`,
        httpPort: this.http.port,
        tlsPort: this.tls.port,
        certificateValidityPeriod: this.#options.validSeconds ?? 90 * 86_400,
        externalAccountBindingRequired: externalKeys !== undefined,
        externalAccountMACKeys: externalKeys,
      },
    };
  }

  async #run(): Promise<void> {
    const off = ["-http01", "", "-https01", "", "-tlsalpn01", "", "-management", "127.0.0.1:0"];
    const names = this.#spawn("pebble-challtestsrv", [
      ...off,
      ...["-dns01", "127.0.0.1:0", "-defaultIPv4", "127.0.0.1", "-defaultIPv6", ""],
    ]);
    const dns = await until(() => portOf(names.pid, "udp"));
    const ca = this.#spawn("pebble", [
      ...["-config", `${this.#folder}/config.json`, "-strict", "-dnsserver", `127.0.0.1:${dns}`],
    ]);
    this.#ca.port = await until(() => portOf(ca.pid, "tcp"));
  }

  #spawn(program: string, args: readonly string[]): Deno.ChildProcess {
    const child = new Deno.Command(program, {
      args: [...args],
      env: { ...usualFaults, ...this.#options.env },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    for (const stream of [child.stdout, child.stderr]) void this.#collect(stream);
    this.#children.push(child);
    return child;
  }

  async #collect(stream: ReadableStream<Uint8Array>): Promise<void> {
    for await (const text of stream.pipeThrough(new TextDecoderStream())) {
      const known = this.requests.length;
      this.#output += text;
      for (const path of this.requests.slice(known)) this.onRequest(path);
    }
  }

  async #end(): Promise<void> {
    for (const child of this.#children.splice(0)) {
      child.kill("SIGKILL");
      await child.status;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#end();
    for (const proxy of [this.ca, this.http, this.tls]) proxy[Symbol.dispose]();
    await Deno.remove(this.#folder, { recursive: true });
    assert.doesNotMatch(this.#output, /panic:/);
  }
}

/** Returns the port that a process listens on, by Linux's table of sockets; undefined while there is none. */
function portOf(pid: number, kind: "tcp" | "udp"): number | undefined {
  const links = Array.from(Deno.readDirSync(`/proc/${pid}/fd`), ({ name }) => {
    try {
      return Deno.readLinkSync(`/proc/${pid}/fd/${name}`);
    } catch {
      return "";
    }
  });
  const state = kind === "tcp" ? "0A" : "07"; // LISTEN; of UDP: not connected
  const rows = [kind, `${kind}6`].flatMap((table) =>
    Deno.readTextFileSync(`/proc/${pid}/net/${table}`).trim().split("\n").slice(1)
  ).map((row) => row.trim().split(/\s+/));
  const own = rows.find((row) => row[3] === state && links.includes(`socket:[${row[9]}]`));
  return own && parseInt(own[1].split(":")[1], 16);
}
