/** A Debian made by debootstrap in a temporary folder. Packages are installed in it by its own apt, without a network. */
import assert from "node:assert/strict";
import { join } from "node:path";

export interface Output {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

const environment = {
  PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
  HOME: "/root",
  LC_ALL: "C.UTF-8",
  DEBIAN_FRONTEND: "noninteractive",
};

/** Returns why this machine can't make a Debian folder; undefined if it can. */
export async function whyNoDebian(): Promise<string | undefined> {
  if (Deno.build.os !== "linux" || Deno.uid() !== 0) return "needs root on Linux";
  for (const tool of ["debootstrap", "unshare", "nsenter", "dpkg-deb"]) {
    if ((await output("sh", ["-c", `command -v ${tool}`])).code !== 0) return `needs ${tool}`;
  }
  const { code } = await output("unshare", ["--mount", "--pid", "--fork", "--net", "true"]);
  if (code !== 0) return "needs namespaces";
  try {
    Deno.removeSync(makeGroup());
    return undefined;
  } catch {
    return "needs a cgroup2 that can be written";
  }
}

/** A folder with Debian's base system and systemd, also for users. Remove it by disposing. */
export class DebianFolder implements AsyncDisposable {
  private constructor(readonly root: string) {}

  static async make(): Promise<DebianFolder> {
    const root = await Deno.makeTempDir({ prefix: "barge-debian-" });
    await Deno.chmod(root, 0o755);
    const { uri, release } = await ownMirror();
    const options = [
      "--variant=minbase",
      "--include=systemd,adduser,dbus,libpam-systemd",
      release,
      root,
      uri,
    ];
    const { code, stdout, stderr } = await output("debootstrap", options);
    assert.equal(code, 0, stdout + stderr);
    return new DebianFolder(root);
  }

  /** Runs a command as root in the folder, without systemd and without a network. */
  run(...command: readonly string[]): Promise<Output> {
    const namespaces = ["--mount", "--pid", "--fork", "--net", `--mount-proc=${this.root}/proc`];
    return output("unshare", [...namespaces, "chroot", this.root, ...command], environment);
  }

  /** Boots the systemd of the folder. */
  boot(): Promise<Machine> {
    return Machine.boot(this.root);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.root, { recursive: true });
  }
}

/** A Debian folder with its systemd as the first process of a namespace. */
export class Machine implements AsyncDisposable {
  readonly #process: Deno.ChildProcess;
  /** The process id of its systemd, as this machine has it. */
  readonly #init: number;

  private constructor(readonly root: string, readonly cgroup: string, process: Deno.ChildProcess) {
    this.#process = process;
    const { pid } = process;
    this.#init = Number(Deno.readTextFileSync(`/proc/${pid}/task/${pid}/children`));
  }

  static async boot(root: string): Promise<Machine> {
    const cgroup = makeGroup();
    const ready = Deno.listenDatagram({ transport: "unixpacket", path: `${root}/notify` });
    const process = new Deno.Command(new URL("boot.sh", import.meta.url).pathname, {
      args: [root, cgroup],
      env: { NOTIFY_SOCKET: "/notify" },
      stdin: "null",
      stdout: "null",
      stderr: "inherit",
    }).spawn();
    const ended = process.status.then(({ code }) => {
      throw new Error(`boot.sh ended with exit code ${code}`);
    });
    ended.catch(() => {}); // the end after the boot is expected
    const isReady = async () => {
      for await (const [bytes] of ready) {
        if (/^READY=1$/m.test(new TextDecoder().decode(bytes))) return;
      }
    };
    try {
      await Promise.race([isReady(), ended]);
    } finally {
      ready.close();
      await Deno.remove(`${root}/notify`);
    }
    return new Machine(root, cgroup, process);
  }

  /** Runs a command as root in the machine. @param env variables beside the usual ones */
  run(command: readonly string[], env: Record<string, string> = {}): Promise<Output> {
    const enter = ["--all", "--root", "--wd", "--target", String(this.#init), "--"];
    return output("nsenter", [...enter, ...command], { ...environment, ...env });
  }

  /** Runs a command that must succeed. @returns its standard output without the last line end */
  async must(...command: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await this.run(command);
    assert.equal(code, 0, `${command.join(" ")}: ${stdout}${stderr}`);
    return stdout.trimEnd();
  }

  /** Runs a command line that must succeed as a user who has logged in. @returns its standard output */
  mustAs(user: string, line: string): Promise<string> {
    return this.must("runuser", "--login", user, "--command", line);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.kill("SIGKILL");
    await this.#process.status;
    await removeGroup(this.cgroup);
  }
}

/** Makes an empty control group. @returns its path @throws {Error} if cgroup2 is missing or can't be written */
function makeGroup(): string {
  const row = /^\S+ (\S+) cgroup2 /m.exec(Deno.readTextFileSync("/proc/mounts"));
  if (row === null) throw new Error("this machine has no cgroup2");
  const path = Deno.makeTempDirSync({ dir: row[1], prefix: "barge-test-" });
  Deno.chmodSync(path, 0o755); // the systemd of a user manages a group below
  return path;
}

/** Removes a control group with those below, as soon as their processes have ended. */
async function removeGroup(path: string): Promise<void> {
  using watcher = Deno.watchFs(join(path, "cgroup.events"));
  const isEmpty = () => /^populated 0$/m.test(Deno.readTextFileSync(join(path, "cgroup.events")));
  if (!isEmpty()) {
    for await (const _ of watcher) if (isEmpty()) break;
  }
  await output("find", [path, "-depth", "-type", "d", "-exec", "rmdir", "{}", "+"]);
}

/** Returns the address and the release of Debian's own packages, as this machine's apt has them. */
async function ownMirror(): Promise<{ uri: string; release: string }> {
  const format = "$(REPO_URI) $(CODENAME) $(ORIGIN) $(COMPONENT)";
  const { stdout } = await output("apt-get", ["indextargets", "--format", format]);
  const [row] = stdout.split("\n").filter((line) => /^\S+ [a-z]+ (Debian|Ubuntu) main$/.test(line));
  assert.ok(row, `apt-get knows no archive of Debian; run apt-get update: ${stdout}`);
  const [uri, release] = row.split(" ");
  return { uri, release };
}

/** Runs a program of this machine. @param env replaces the environment */
export async function output(
  program: string,
  args: readonly string[],
  env?: Record<string, string>,
): Promise<Output> {
  const result = await new Deno.Command(program, {
    args: [...args],
    env,
    clearEnv: env !== undefined,
    stdin: "null",
  }).output();
  const text = new TextDecoder();
  return {
    code: result.code,
    stdout: text.decode(result.stdout),
    stderr: text.decode(result.stderr),
  };
}

/** Returns why a program of this machine can't be used; undefined if it can. @param args a harmless call */
export async function lacks(
  program: string,
  ...args: readonly string[]
): Promise<string | undefined> {
  const succeeds = await output(program, args).then(({ code }) => code === 0, () => false);
  return succeeds ? undefined : `${program} can't be used here`;
}
