/** The real server with its FTP doors, and the programs that people have. */
import assert from "node:assert/strict";
import { type Server, startServer } from "../_server.ts";

const decoder = new TextDecoder();

/** Is a program here? If not, that is said, and what needs it is skipped. */
export function has(program: string): boolean {
  const { success } = new Deno.Command("which", { args: [program], stdout: "null", stderr: "null" })
    .outputSync();
  if (!success) new Deno.Command("echo", { args: [`skipped: ${program} is not here`] }).spawn();
  return success;
}

/** Starts a server with both FTP doors. */
export function startFtpServer(workers = 2, more: readonly string[] = []): Promise<Server> {
  const doors = ["--ftp", "127.0.0.1:0", "--ftps", "127.0.0.1:0", "--workers", String(workers)];
  const options = ["--durability", "relaxed", "--ftp-active-loopback"];
  return startServer({ args: [...doors, ...options, ...more] });
}

/** An account of a server with both doors, and a folder to work in. */
export class Stage implements AsyncDisposable {
  private constructor(
    readonly server: Server,
    readonly account: string,
    readonly folder: string,
    /** Logs in at the place of the password, and needs no scrypt. */
    readonly token: string,
  ) {}

  /** Adds the account to the server. */
  static async open(server: Server, account: string): Promise<Stage> {
    await server.addUser(account, { password: "anna-secret" }); // its key is prepared
    const token = await server.issueToken(account);
    const folder = await Deno.makeTempDir({ prefix: "barge-ftp-clients-" });
    return new Stage(server, account, folder, token);
  }

  get port(): string {
    return this.server.facts.ftp!.split(":")[1];
  }

  /** Runs a program in the folder, to its end. @returns what it wrote to standard output */
  async run(program: string, args: readonly string[], env: Record<string, string> = {}) {
    const { code, stdout, stderr } = await new Deno.Command(program, {
      args: [...args],
      cwd: this.folder,
      env: { HOME: this.folder, ...env },
      stdin: "null",
    }).output();
    const said = decoder.decode(stdout) + decoder.decode(stderr);
    assert.equal(code, 0, `${program} ${args.join(" ")} ended with ${code}: ${said}`);
    return decoder.decode(stdout);
  }

  curl(...args: string[]): Promise<string> {
    const login = ["--user", `${this.account}:${this.token}`];
    return this.run("curl", ["-sS", "-m", "60", "-k", ...login, ...args]);
  }

  lftp(script: string): Promise<string> {
    const settings = "set net:max-retries 1; set net:timeout 20; set ssl:verify-certificate no; " +
      "set cmd:fail-exit yes";
    const open = `open -u ${this.account},${this.token} ftp://127.0.0.1:${this.port}`;
    return this.run("lftp", ["-c", `${settings}; ${open}; ${script}`]);
  }

  /** Lets programs log in without a question. */
  netrc(): void {
    const text = `machine 127.0.0.1 login ${this.account} password ${this.token}\n`;
    Deno.writeTextFileSync(`${this.folder}/.netrc`, text, { mode: 0o600 });
  }

  /** Fails unless two trees are the same. */
  async same(a: string, b: string): Promise<void> {
    await this.run("diff", ["-r", a, b]);
  }

  /** Makes a tree. */
  tree(name: string, folders: number, files: number): void {
    for (let d = 0; d < folders; d++) {
      const folder = `${this.folder}/${name}/folder ${d} ü`;
      Deno.mkdirSync(folder, { recursive: true });
      for (let f = 0; f < files; f++) {
        const bytes = crypto.getRandomValues(new Uint8Array((d * 37 + f * 101) % 4000));
        Deno.writeFileSync(`${folder}/file ${f}`, bytes);
      }
    }
  }

  large(name: string, size: number): string {
    const path = `${this.folder}/${name}`;
    const piece = crypto.getRandomValues(new Uint8Array(65_536));
    using file = Deno.openSync(path, { create: true, write: true });
    for (let at = 0; at < size; at += piece.length) {
      piece[0] = at >> 16;
      for (let n = 0; n < piece.length;) n += file.writeSync(piece.subarray(n));
    }
    return path;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.folder, { recursive: true });
  }
}

interface StageCase {
  readonly name: string;
  readonly ignore: boolean;
  readonly run: (stage: Stage) => Promise<void>;
}

/** Declares a test whose cases share a server. Each case has an account of its own. */
export class SharedServerTest {
  readonly #cases: StageCase[] = [];

  constructor(name: string) {
    Deno.test(name, async (t) => {
      await using server = await startFtpServer();
      for (const [i, { name, ignore, run }] of this.#cases.entries()) {
        const fn = async () => {
          await using stage = await Stage.open(server, `user${i}`);
          await run(stage);
        };
        await t.step({ name, ignore, fn });
      }
    });
  }

  /** Adds a case before the tests run. @param options.ignore skips it */
  add(
    name: string,
    { ignore = false }: { readonly ignore?: boolean },
    run: (stage: Stage) => Promise<void>,
  ): void {
    this.#cases.push({ name, ignore, run });
  }
}
