/** The SSH clients of the system, at a server of the real program with an SFTP door. */
import assert from "node:assert/strict";
import { onTwoNodes, type Server, startServer } from "../_server.ts";
import { Home } from "./_barge.ts";

/** Is a program here? */
export function has(program: string): boolean {
  return (Deno.env.get("PATH") ?? "").split(":").some((folder) => {
    try {
      return Deno.statSync(`${folder}/${program}`).isFile;
    } catch {
      return false;
    }
  });
}

interface ClientCase {
  readonly programs: readonly string[];
  readonly name: string;
  readonly work: (at: Client) => Promise<void>;
  readonly options: ClientOptions;
}

/**
 * Declares a test whose cases share a server. Each case has an account and a home of its own, and names the
 * programs of the system that it needs; where one is missing it says so.
 */
export class SharedServerTest {
  readonly #cases: ClientCase[] = [];

  constructor(name: string, workers = 1) {
    Deno.test(name, async (t) => {
      await using server = await startServer({
        args: ["--sftp", "127.0.0.1:0", "--native", "off", "--workers", String(workers)],
      });
      for (const [i, { programs, name, work, options }] of this.#cases.entries()) {
        const missing = programs.filter((program) => !has(program));
        await t.step({
          name: missing.length > 0
            ? `${name} (skipped: there is no ${missing.join(", no ")})`
            : name,
          ignore: missing.length > 0 || (options.ofOneMachine === true && onTwoNodes),
          fn: async () => {
            await using at = await Client.open(server, `user${i}`, options);
            await work(at);
          },
        });
      }
    });
  }

  /** Adds a case before the tests run. */
  add(
    programs: readonly string[],
    name: string,
    work: (at: Client) => Promise<void>,
    options: ClientOptions = {},
  ): void {
    this.#cases.push({ programs, name, work, options });
  }
}

interface ClientOptions {
  readonly quota?: string;
  /** Of the key that the account has. */
  readonly key?: readonly string[];
  /** Whether the case is about the files of a data directory. */
  readonly ofOneMachine?: boolean;
}

/** An account of a server, and a person with its key. */
export class Client implements AsyncDisposable {
  readonly home = new Home();
  /** The characters of the server's standard error at the start of the case. */
  readonly start: number;

  private constructor(readonly server: Server, readonly account: string) {
    this.start = server.stderr().length;
  }

  /** Adds the account, whose password is anna-secret, to the server. */
  static async open(server: Server, account: string, options: ClientOptions): Promise<Client> {
    const client = new Client(server, account);
    try {
      await client.#login(options.quota ?? "none", options.key ?? ["-t", "ed25519"]);
      return client;
    } catch (error) {
      await client[Symbol.asyncDispose]();
      throw error;
    }
  }

  get port(): string {
    return this.server.facts.sftp!.split(":")[1];
  }

  /** The account and the host, for OpenSSH. */
  get login(): string {
    return `${this.account}@127.0.0.1`;
  }

  /** What every OpenSSH program is told. */
  get options(): string[] {
    const { path } = this.home;
    const known = [
      ...["-o", "StrictHostKeyChecking=yes", "-o", `UserKnownHostsFile=${path}/known_hosts`],
      ...["-o", "IdentitiesOnly=yes", "-o", "LogLevel=ERROR", "-F", "none"],
    ];
    return [...known, "-o", `IdentityFile=${path}/key`, "-o", `Port=${this.port}`];
  }

  /** Runs a program in the home. */
  async run(
    command: string,
    args: readonly string[],
    { stdin = "", env = {} }: { stdin?: string; env?: Record<string, string> } = {},
  ): Promise<{ code: number; stdout: string; stderr: string }> {
    const child = new Deno.Command(command, {
      args: [...args],
      cwd: this.home.path,
      clearEnv: true,
      env: { PATH: Deno.env.get("PATH") ?? "", HOME: this.home.path, LC_ALL: "C.UTF-8", ...env },
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const writer = child.stdin.getWriter();
    try {
      await writer.write(new TextEncoder().encode(stdin));
      await writer.close();
    } catch { /* it read none of it */ }
    const { code, stdout, stderr } = await child.output();
    const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
    return { code, stdout: text(stdout), stderr: text(stderr) };
  }

  /** The same; it must go well. @returns what it printed */
  async ok(...[command, args, options]: Parameters<Client["run"]>): Promise<string> {
    const { code, stdout, stderr } = await this.run(command, args, options);
    assert.equal(code, 0, `${command} ${args.join(" ")}: ${stderr}${stdout}`);
    return stdout;
  }

  /** Runs commands of `sftp`; each must go well but those that begin with a dash. */
  async sftp(...commands: readonly string[]): Promise<string> {
    const stdin = commands.map((command) => `${command}\n`).join("");
    return await this.ok("sftp", [...this.options, "-b", "-", this.login], { stdin });
  }

  /** Returns the names in a folder of the server, or those that a pattern matches. */
  async names(of: string): Promise<string[]> {
    const [, ...names] = (await this.sftp(`ls -1 ${of}`)).trimEnd().split("\n");
    return names.map((path) => path.split("/").at(-1)!);
  }

  /** Makes a tree in the home with all that trees have. */
  async tree(name: string): Promise<void> {
    const top = `${this.home.path}/${name}`;
    await Deno.mkdir(`${top}/sub/deeper`, { recursive: true });
    await Deno.mkdir(`${top}/nothing in it`);
    await Deno.writeFile(`${top}/empty`, new Uint8Array());
    await Deno.writeFile(`${top}/large`, pattern(3_000_001));
    await Deno.writeFile(`${top}/sub/with space, ümläut`, pattern(100_000));
    await Deno.writeFile(`${top}/sub/deeper/-dash`, pattern(10));
    const time = new Date("2020-02-02T02:02:02Z");
    await Deno.utime(`${top}/large`, time, time);
  }

  /** Are two trees in the home the same? */
  async same(one: string, other: string): Promise<void> {
    assert.equal(await this.ok("diff", ["-r", one, other]), "");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.home[Symbol.asyncDispose]();
  }

  async #login(quota: string, key: readonly string[]): Promise<void> {
    const { server, home, account } = this;
    await server.addUser(account, { quota, password: "anna-secret" }); // its key is prepared
    await this.ok("ssh-keygen", ["-q", ...key, "-N", "", "-C", `${account}@here`, "-f", "key"]);
    await server.addKeys(account, Deno.readTextFileSync(`${home.path}/key.pub`));
    await Deno.writeTextFile(`${home.path}/known_hosts`, await this.#hostKeys());
  }

  /** Returns the lines of the server's keys for OpenSSH. */
  async #hostKeys(): Promise<string> {
    const { server, port } = this;
    // A node has no file of its keys. The nodes are asked in turn.
    if (onTwoNodes) {
      return await this.ok("ssh-keyscan", ["-t", "ed25519,rsa", "-p", port, "127.0.0.1"]);
    }
    const lines = ["ed25519", "rsa"].map((sort) => {
      const file = `${server.data}/ssh/ssh_host_${sort}_key.pub`;
      return `[127.0.0.1]:${port} ${Deno.readTextFileSync(file)}`;
    });
    return lines.join("");
  }
}

export function pattern(size: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(size);
  for (let i = 0; i < size; i++) bytes[i] = i * 7 + (i >> 9) * 31;
  return bytes;
}
