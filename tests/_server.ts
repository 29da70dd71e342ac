/**
 * The real program as a server, for tests: a process of its own, on a port that the system chose, in
 * a data directory of its own. `await using server = await startServer()` ends it and removes it.
 */
import type { AccountChange } from "../core/storage/accounts.ts";
import { Accounts } from "../core/local/account/accounts.ts";
import { Keys } from "../core/local/account/keys.ts";
import { Tokens } from "../core/local/account/tokens.ts";
import { Database } from "../core/local/database/database.ts";
import { parseSize } from "../core/size.ts";
import { parseAuthorizedKeys } from "../core/storage/public_key.ts";
import { layHostKeys } from "./_host_keys.ts";
import { heldUploads, sizeOf } from "./_observe.ts";
import { verifierOf } from "./_passwords.ts";
import { bargeCommand, denoCommand } from "./_program.ts";

/** The secret of the second factors of tests, in base32. */
export const totpSecret = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP";

const faulty = new URL("./core/serve/_faulty.ts", import.meta.url).pathname;

export interface ServerOptions {
  /**
   * More arguments for `serve`. Only the native door is open, and one worker runs, unless they say
   * otherwise: each worker costs a tenth of a second.
   */
  readonly args?: readonly string[];
  /** A data directory, which is then not removed. An empty folder gets a database with the account admin. */
  readonly data?: string;
  /** The options of storage that machines share, in place of a data directory. */
  readonly store?: readonly string[];
  /** Leaves an empty data directory as it is, so that this start makes the first account. */
  readonly empty?: boolean;
  readonly env?: Readonly<Record<string, string>>;
  /**
   * A fault in its workers: tests/core/serve/_armed.ts says which there are. It is this checkout's
   * server then, whatever program is under test: the executable can't be armed.
   */
  readonly fault?: string;
  /** A command that runs the one behind it as the same process, with its arguments. */
  readonly under?: readonly string[];
  /** On two nodes: each request by HTTP is the only one on its connection, so that it may go to either. */
  readonly spreadRequests?: boolean;
}

/**
 * Whether servers of tests are two nodes of a cluster behind a balancer, as the environment's
 * BARGE_TEST_NODES=2 asks. A test of a data directory ignores itself then.
 */
export const onTwoNodes: boolean = Deno.env.get("BARGE_TEST_NODES") === "2";

/** Runs the program to its end. */
export async function barge(
  args: readonly string[],
  options: Pick<Deno.CommandOptions, "env" | "cwd" | "signal"> = {},
): Promise<{ code: number; stdout: string; stderr: string }> {
  const [command, ...words] = bargeCommand(args);
  const output = await new Deno.Command(command, {
    args: words,
    stdin: "null",
    ...options,
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code: output.code, stdout: text(output.stdout), stderr: text(output.stderr) };
}

/**
 * Starts `barge serve --json` and waits until it is ready.
 *
 * @throws {Error} with what it said, when it ends before
 */
export async function startServer(options: ServerOptions = {}): Promise<Server> {
  const { args: given = [], data: existing, store, empty, fault, under } = options;
  if (onTwoNodes && !(existing ?? store ?? empty ?? fault ?? under)) {
    const { Cluster } = await import("./contract/_cluster.ts");
    return await Cluster.start(given, options);
  }
  const usual = { native: "127.0.0.1:0", http: "off", workers: "1" };
  const asked = Object.entries(usual).filter(([option]) =>
    !given.some((arg) => arg === `--${option}` || arg.startsWith(`--${option}=`))
  );
  const data = options.data ?? await Deno.makeTempDir({ prefix: "barge-test-" });
  if (!options.empty && !options.store && await isEmptyFolder(data)) {
    await Deno.writeFile(`${data}/accounts.db`, await preparedDatabase(), { mode: 0o600 });
    if (given.includes("--sftp")) await layHostKeys(data);
  }
  const serve = [
    ...["serve", "--json", ...options.store ?? ["--data", data]],
    ...[...asked.flatMap(([option, value]) => [`--${option}`, value]), ...given],
  ];
  const [command, ...args] = [
    ...options.under ?? [],
    ...options.fault ? denoCommand([faulty, options.fault, ...serve]) : bargeCommand(serve),
  ];
  const process = new Deno.Command(command, {
    args,
    env: { ...options.env },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const ready = Promise.withResolvers<string>();
  const stdout = collect(process.stdout, (text) => {
    const end = text.indexOf("\n");
    if (end !== -1) ready.resolve(text.slice(0, end));
  });
  const waiting = new Set<(text: string) => void>();
  const stderr = collect(process.stderr, (text) => {
    for (const look of waiting) look(text);
  });
  const ended = Promise.all([process.status, stdout.ended, stderr.ended]).then(([{ code }]) => {
    ready.reject(new Error(`serve ended with ${code}: ${stderr.text()}${stdout.text()}`));
    return code;
  });
  const line = await ready.promise;
  const facts = JSON.parse(line) as Facts;
  return new Server(data, facts, process, ended, stdout.text, stderr.text, waiting, !options.data);
}

/** What it prints when it is ready: HOST:PORT of each door that is open. */
export interface Facts {
  readonly native: string | null;
  readonly http: string | null;
  readonly ftp: string | null;
  readonly ftps: string | null;
  readonly sftp: string | null;
  /** Of --metrics. */
  readonly metrics?: string;
  /** Of --acme-http. */
  readonly acmeHttp?: string;
  readonly fingerprint: string | null;
}

export class Server implements AsyncDisposable {
  /** HOST:PORT of the native door. */
  readonly address: string;

  constructor(
    /** The data directory. */
    readonly data: string,
    readonly facts: Facts,
    readonly process: Deno.ChildProcess,
    /** The exit code, once it ended. */
    readonly ended: Promise<number>,
    /** All that it wrote so far. */
    readonly stdout: () => string,
    readonly stderr: () => string,
    readonly waiting: Set<(text: string) => void>,
    readonly ours: boolean,
  ) {
    this.address = facts.native ?? "";
  }

  /** The first admin's password, from the file that this server's first start has made. */
  adminPassword(): string {
    return Deno.readTextFileSync(`${this.data}/admin-password`).trimEnd();
  }

  get pid(): number {
    return this.process.pid;
  }

  /** The options that name its storage, for other verbs of the program. */
  get storage(): readonly string[] {
    return ["--data", this.data];
  }

  /** Sends a signal to the program, or to that of each node. */
  signal(signal: Deno.Signal): void {
    this.process.kill(signal);
  }

  /** Returns the stored bytes of a file below /home. */
  async readFile(path: string, account = "anna"): Promise<Uint8Array<ArrayBuffer>> {
    return await Deno.readFile(`${this.data}${path.replace(/^\/home/, `/homes/${account}`)}`);
  }

  /**
   * Waits until it has written that to standard error.
   *
   * @param from the characters of standard error that don't count
   * @throws {Error} when it ends before
   */
  async said(what: string, from = 0): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const look = (text: string) => void (text.includes(what, from) && resolve());
    this.waiting.add(look);
    look(this.stderr());
    try {
      const ended = this.ended.then(() => {
        if (!this.stderr().includes(what, from)) {
          throw new Error(`it ended, and never said ${what}`);
        }
      });
      await Promise.race([promise, ended]);
    } finally {
      this.waiting.delete(look);
    }
  }

  /** Sends a signal and waits for the end. */
  async kill(signal: Deno.Signal): Promise<number> {
    try {
      this.process.kill(signal);
    } catch { /* it has ended already */ }
    return await this.ended;
  }

  /** Makes an account, as `barge user add` does. @param options.password by default `NAME-secret` */
  async addUser(
    name: string,
    options: { quota?: string; entries?: number; password?: string } = {},
  ): Promise<void> {
    const { quota = "none", entries, password = `${name}-secret` } = options;
    const verifier = await verifierOf(password);
    using db = new Database(this.data);
    const limit = parseSize(quota) ?? null;
    new Accounts(db).add({ name, role: "user", limit, entryLimit: entries, verifier });
  }

  /** Issues a token of an account, without the scrypt of a login. */
  async issueToken(name: string): Promise<string> {
    using db = new Database(this.data);
    const { id } = new Accounts(db).get(name);
    return (await new Tokens(db).issue(id, "test")).token;
  }

  /** Changes an account, as `barge user set` does. */
  changeUser(name: string, change: AccountChange): Promise<void> {
    using db = new Database(this.data);
    new Accounts(db).change(name, change);
    return Promise.resolve();
  }

  /**
   * Gives an account a second factor, whose codes are all unused; again: all unused again. Its logins stay.
   *
   * @returns the secret, the same for every account
   */
  enableTotp(name: string): Promise<string> {
    using db = new Database(this.data);
    db.run(
      "UPDATE account SET totp_secret = ?, totp_step = 0, epoch = epoch + 1 WHERE name = ?",
      totpSecret,
      name,
    );
    return Promise.resolve(totpSecret);
  }

  /** Moves the end of a token into the past. */
  expireToken(id: string): Promise<void> {
    using db = new Database(this.data);
    db.run("UPDATE token SET expires = ? WHERE id = ?", Date.now() - 1, id);
    return Promise.resolve();
  }

  /** Adds the public keys of a text to an account, as `barge user key add` does. */
  addKeys(name: string, text: string): Promise<void> {
    using db = new Database(this.data);
    const { id } = new Accounts(db).get(name);
    for (const key of parseAuthorizedKeys(text)) new Keys(db).add(id, key);
    return Promise.resolve();
  }

  /** Returns the number of uploads that some connection holds at this moment. */
  heldUploads(): Promise<number> {
    return Promise.resolve(heldUploads(this.data));
  }

  /** Returns the number of bytes that are staged. */
  stagedBytes(): Promise<number> {
    const staging = `${this.data}/staging`;
    const names = Array.from(Deno.readDirSync(staging), ({ name }) => name);
    return Promise.resolve(names.reduce((sum, name) => sum + sizeOf(`${staging}/${name}`), 0));
  }

  /** Returns the number of uploads that have staged bytes. */
  stagedUploads(): Promise<number> {
    return Promise.resolve(Array.from(Deno.readDirSync(`${this.data}/staging`)).length);
  }

  /** Disables an account, as `barge user disable` does. */
  disable(name: string): Promise<void> {
    using db = new Database(this.data);
    new Accounts(db).change(name, { disabled: true });
    return Promise.resolve();
  }

  /** Throws unless sums, files and digests agree. */
  async verify(): Promise<void> {
    const { code, stdout, stderr } = await barge(["verify", "--data", this.data]);
    if (code !== 0) throw new Error(stdout + stderr);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill("SIGKILL");
    if (this.ours) await Deno.remove(this.data, { recursive: true });
  }
}

async function isEmptyFolder(path: string): Promise<boolean> {
  try {
    for await (const _ of Deno.readDir(path)) return false;
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

let prepared: Uint8Array<ArrayBuffer> | undefined;

/** Returns a database with the account admin: to make one takes a server half of its start. */
async function preparedDatabase(): Promise<Uint8Array<ArrayBuffer>> {
  if (prepared) return prepared;
  const data = await Deno.makeTempDir({ prefix: "barge-prepared-" });
  try {
    const verifier = await verifierOf("anna-secret");
    {
      using db = new Database(data, { create: true });
      new Accounts(db).add({ name: "admin", role: "admin", limit: null, verifier });
    }
    return prepared = await Deno.readFile(`${data}/accounts.db`);
  } finally {
    await Deno.remove(data, { recursive: true });
  }
}

function collect(stream: ReadableStream<Uint8Array>, onText?: (text: string) => void) {
  let text = "";
  const decoder = new TextDecoder();
  const ended = (async () => {
    for await (const bytes of stream) {
      text += decoder.decode(bytes, { stream: true });
      onText?.(text);
    }
  })();
  return { text: () => text, ended };
}
