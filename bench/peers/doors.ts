/**
 * Contest `doors`: FTP beside vsftpd, by curl and lftp, and SFTP beside OpenSSH's sshd, by sftp
 * with the same cipher.
 */
import { startBench } from "../program.ts";
import { issueToken } from "../token.ts";
import { assertSame, type Workspace } from "./workspace.ts";
import type { Contest, Entry } from "./contest.ts";
import { timed } from "./process.ts";
import { Fleet, makeKey, sshOptions } from "./servers.ts";

/** A server from its client's view. */
interface Subject {
  readonly name: string;
  readonly kind: Entry["kind"];
  readonly port: number;
  readonly user: string | undefined;
  /** Or a token: deriving a key would take a large part of a small file's time. */
  readonly password: string;
  /** The client's paths for downloads and uploads, and the folder of uploads on disk. */
  readonly down: string;
  readonly up: string;
  readonly disk: string;
}

const ciphers = ["chacha20-poly1305@openssh.com", "aes128-gcm@openssh.com", "aes128-ctr"];

export async function* doors(workspace: Workspace): AsyncGenerator<Contest> {
  const { source, work, tools } = workspace;
  const key = tools.ssh && await makeKey(workspace);
  await using fleet = await Fleet.start(workspace, "vsftpd", "sshd");
  const open = ["--ftp", "127.0.0.1:0", "--sftp", "127.0.0.1:0"];
  await using ours = await startBench({ dir: work }, ...open);
  if (key) await ours.admin("user", "key", "add", "bench", `${key}.pub`);
  await ours.run("put", "-q", `${source}/large`, "/home/large");
  await ours.run("put", "-q", "-r", `${source}/tree/`, "/home/tree");
  await ours.run("mkdir", "/home/up");
  const token = await issueToken(ours);
  const barge = (door: "ftp" | "sftp"): Subject => ({
    name: `barge, ${door.toUpperCase()}`,
    kind: "ours",
    user: "bench",
    password: token,
    port: Number(ours.facts[door]!.split(":")[1]),
    down: "/home",
    up: "/home/up",
    disk: `${ours.home}/up`,
  });
  const ftp = [
    barge("ftp"),
    fleet.with("vsftpd", ({ port }): Subject => ({
      name: "vsftpd",
      kind: "peer",
      user: "anonymous",
      password: "bench",
      port,
      down: "/down",
      up: "/up",
      disk: `${workspace.root}/up`,
    })),
  ].filter((one) => one !== undefined);
  const [large, tree] = [largeFile(workspace.scale), smallFiles(workspace.scale)];
  if (tools.curl) yield* contests(workspace, "FTP, curl", large, ftp, byCurl(tools.curl));
  if (tools.lftp) {
    yield* contests(workspace, "FTP, lftp mirror -P8", tree, ftp, byLftp(workspace, tools.lftp));
  }
  if (!tools.sftp || !key) return;
  const sftp = [
    barge("sftp"),
    fleet.with("sshd", ({ port }): Subject => ({
      name: "OpenSSH's sshd",
      kind: "peer",
      user: undefined,
      password: "",
      port,
      down: `${workspace.root}/down`,
      up: `${workspace.root}/up`,
      disk: `${workspace.root}/up`,
    })),
  ].filter((one) => one !== undefined);
  for (const cipher of ciphers) {
    const client = bySftp(workspace, tools.sftp, cipher);
    yield* contests(workspace, `SFTP, ${cipher.split("@")[0]}`, large, sftp, client);
  }
  const client = bySftp(workspace, tools.sftp, ciphers[0]);
  yield* contests(workspace, "SFTP, sftp get -r, put -r", tree, sftp, client);
}

/** A client of a door. Its methods return seconds. */
interface DoorClient {
  get(subject: Subject, from: string, to: string): Promise<number>;
  put(subject: Subject, from: string, to: string): Promise<number>;
}

/** The transferred file or folder. */
interface Load {
  readonly name: "large" | "tree";
  readonly what: string;
  readonly bytes: number;
  /** Its amount in `unit`. */
  readonly amount: number;
  readonly unit: string;
  readonly rounds: number;
}

function largeFile({ large }: Workspace["scale"]): Load {
  const mebibytes = large / 2 ** 20;
  const what = `one file of ${mebibytes.toLocaleString("en-US")} MiB`;
  return { name: "large", what, bytes: large, amount: mebibytes, unit: "MiB/s", rounds: 3 };
}

function smallFiles({ folders, filesPerFolder }: Workspace["scale"]): Load {
  const files = folders * filesPerFolder;
  const what = `${files.toLocaleString("en-US")} files of 4 KiB`;
  return { name: "tree", what, bytes: files * 4096, amount: files, unit: "files/s", rounds: 2 };
}

function* contests(
  workspace: Workspace,
  title: string,
  { name, what, bytes, amount, unit, rounds }: Load,
  subjects: readonly Subject[],
  client: DoorClient,
): Generator<Contest> {
  const local = `${workspace.source}/${name}`;
  const contest = (
    direction: "down" | "up",
    run: (subject: Subject, round: number) => Promise<number>,
  ): Contest => ({
    title: `${title}: ${what}, ${direction}`,
    unit,
    better: "more",
    digits: 0,
    rounds,
    entries: subjects.map((subject) => ({
      name: subject.name,
      kind: subject.kind,
      run: async (round: number) => {
        await workspace.warm(bytes);
        return { value: amount / await run(subject, round) };
      },
    })),
  });
  yield contest("down", async (subject, round) => {
    const to = `${await workspace.fresh()}/${name}`;
    const seconds = await client.get(subject, `${subject.down}/${name}`, to);
    await assertSame(local, to, round === 0);
    return seconds;
  });
  yield contest("up", async (subject, round) => {
    const to = crypto.randomUUID();
    const seconds = await client.put(subject, local, `${subject.up}/${to}`);
    await assertSame(local, `${subject.disk}/${to}`, round === 0);
    await Deno.remove(`${subject.disk}/${to}`, { recursive: true });
    return seconds;
  });
}

function byCurl(curl: string): DoorClient {
  const url = ({ port }: Subject, path: string) => `ftp://127.0.0.1:${port}${path}`;
  const common = ({ user, password }: Subject) => ["-sSf", "-u", `${user}:${password}`];
  return {
    get: (subject, from, to) => timed(curl, [...common(subject), "-o", to, url(subject, from)]),
    put: (subject, from, to) => timed(curl, [...common(subject), "-T", from, url(subject, to)]),
  };
}

function byLftp({ work }: Workspace, lftp: string): DoorClient {
  const script = ({ user, password, port }: Subject, line: string) =>
    timed(lftp, [
      "-c",
      "set net:max-retries 1; set ftp:ssl-allow no; set cmd:fail-exit yes; " +
      `set mirror:set-permissions no; open -u ${user},${password} ftp://127.0.0.1:${port}; ${line}`,
    ], { env: { HOME: work } });
  return {
    get: (subject, from, to) => script(subject, `mirror -P8 ${from} ${to}`),
    put: (subject, from, to) => script(subject, `mirror -R -P8 ${from} ${to}`),
  };
}

function bySftp(workspace: Workspace, sftp: string, cipher: string): DoorClient {
  const batch = async ({ port, user }: Subject, lines: readonly string[]) => {
    await Deno.writeTextFile(`${workspace.work}/batch`, lines.join("\n") + "\n");
    const options = await sshOptions(workspace, port, user);
    return await timed(sftp, [
      "-b",
      `${workspace.work}/batch`,
      "-c",
      cipher,
      ...options,
      "127.0.0.1",
    ]);
  };
  return {
    get: (subject, from, to) => batch(subject, [`get -r ${from} ${to}`]),
    put: (subject, from, to) => batch(subject, [`put -r ${from} ${to}`]),
  };
}
