/** The FTP door beside vsftpd: large files, many small ones, a hundred clients at once. */
import { startBench } from "./program.ts";
import { spread, table } from "./table.ts";

const large = 256;
const small = 1000;
const clients = 100;
const runs = 3;

/** A server to be measured. */
interface Subject extends AsyncDisposable {
  readonly name: string;
  /** HOST:PORT. */
  readonly address: string;
  readonly login: string;
  /** Where may be written. */
  readonly folder: string;
}

export async function benchFtp(): Promise<string> {
  const work = await Deno.makeTempDir({ prefix: "barge-bench-ftp-" });
  try {
    await makeFiles(work);
    const rows: string[][] = [];
    for (const start of [barge("full"), barge("relaxed"), vsftpd]) {
      const subject = await start(work);
      if (!subject) {
        rows.push(["vsftpd", "is not here"]);
        continue;
      }
      await using running = subject;
      rows.push([running.name, ...await measure(running, work)]);
    }
    const title = `FTP in the clear, by curl and lftp: ${large} MiB, ${small} files of 4 KiB, ` +
      `${clients} transfers of 1 MiB at once`;
    const head = [
      "server",
      "put",
      "get",
      "small: put",
      "small: get",
      "at once: put",
      "at once: get",
    ];
    return table(title, head, rows);
  } finally {
    await Deno.remove(work, { recursive: true });
  }
}

async function measure({ address, login, folder }: Subject, work: string): Promise<string[]> {
  const url = `ftp://${address}${folder}`;
  const curl = (...args: string[]) => timed("curl", ["-sS", "--user", login, ...args], work);
  const [user, password] = login.split(":");
  const lftp = (script: string) =>
    timed("lftp", [
      "-c",
      `set ftp:ssl-allow no; open -u ${user},${password} ftp://${address}; ${script}`,
    ], work);
  const each = `{${Array.from({ length: clients }, (_, i) => `many/f${i}`).join(",")}}`;
  const at = ["-Z", "--parallel-max", String(clients), "--parallel-immediate"];
  const figures: number[][] = [[], [], [], [], [], []];
  for (let run = 0; run < runs; run++) {
    const there = `${folder}/${run}`;
    await lftp(`mkdir ${there}; mkdir ${there}/many`);
    figures[0].push(large / await curl("-T", "large", `${url}/${run}/large`));
    figures[1].push(large / await curl("-o", "/dev/null", `${url}/${run}/large`));
    figures[2].push(await lftp(`mirror -R small ${there}/small`));
    figures[3].push(await lftp(`mirror ${there}/small back${run}`));
    // A hundred at once are too many for vsftpd's queue of 32 now and then: it resets some.
    const failed = () => NaN;
    figures[4].push(await curl(...at, "-T", each, `${url}/${run}/many/`).catch(failed));
    const back = `${url}/${run}/many/f[0-${clients - 1}]`;
    figures[5].push(await curl(...at, "-o", "/dev/null", back).catch(failed));
  }
  return figures.map((values, i) =>
    values.some(Number.isNaN) ? "fails" : spread(values, i < 2 ? "MiB/s" : "s", i < 2 ? 0 : 2)
  );
}

/** @returns seconds */
async function timed(program: string, args: string[], cwd: string): Promise<number> {
  const began = performance.now();
  const { success, stderr } = await new Deno.Command(program, { args, cwd, stdin: "null" })
    .output();
  const seconds = (performance.now() - began) / 1000;
  if (!success) throw new Error(`${program}: ${new TextDecoder().decode(stderr)}`);
  return seconds;
}

async function makeFiles(work: string): Promise<void> {
  const piece = crypto.getRandomValues(new Uint8Array(65_536));
  const write = async (path: string, bytes: number) => {
    using file = await Deno.open(`${work}/${path}`, { create: true, write: true });
    for (let at = 0; at < bytes;) at += await file.write(piece.subarray(0, bytes - at));
  };
  await Deno.mkdir(`${work}/small`);
  await Deno.mkdir(`${work}/many`);
  await write("large", large * 1024 * 1024);
  for (let i = 0; i < small; i++) await write(`small/f${i}`, 4096);
  for (let i = 0; i < clients; i++) await write(`many/f${i}`, 1024 * 1024);
}

function barge(durability: string) {
  return async (): Promise<Subject> => {
    const bench = await startBench("--ftp", "127.0.0.1:0", "--durability", durability);
    return {
      name: `barge, ${durability}`,
      address: bench.facts.ftp!,
      login: "bench:bench",
      folder: "/home",
      [Symbol.asyncDispose]: () => bench[Symbol.asyncDispose](),
    };
  };
}

/** As Debian has it, with strangers who may write, which needs no account on this machine. */
async function vsftpd(work: string): Promise<Subject | undefined> {
  const root = `${work}/vsftpd`;
  await Deno.mkdir(`${root}/home`, { recursive: true });
  await Deno.chmod(work, 0o755);
  await Deno.chmod(`${root}/home`, 0o777);
  await Deno.mkdir("/var/run/vsftpd/empty", { recursive: true });
  const free = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = free.addr;
  free.close();
  const settings = {
    ...{ listen: "YES", listen_ipv6: "NO", listen_address: "127.0.0.1", listen_port: port },
    ...{ background: "NO", anonymous_enable: "YES", local_enable: "NO", write_enable: "YES" },
    ...{ anon_root: root, anon_upload_enable: "YES", anon_mkdir_write_enable: "YES" },
    ...{ anon_other_write_enable: "YES", anon_world_readable_only: "NO", no_anon_password: "YES" },
    ...{ secure_chroot_dir: "/var/run/vsftpd/empty", anon_umask: "022", seccomp_sandbox: "NO" },
    ...{ max_clients: 0, max_per_ip: 0 }, // it lets in 50 from one address by itself
  };
  const config = Object.entries(settings).map(([name, value]) => `${name}=${value}\n`).join("");
  await Deno.writeTextFile(`${work}/vsftpd.conf`, config);
  try {
    const server = new Deno.Command("vsftpd", {
      args: [`${work}/vsftpd.conf`],
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
    await listening(port);
    return {
      name: "vsftpd",
      address: `127.0.0.1:${port}`,
      login: "anonymous:bench",
      folder: "/home",
      async [Symbol.asyncDispose]() {
        server.kill("SIGTERM");
        await server.status;
      },
    };
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

async function listening(port: number): Promise<void> {
  for (let i = 0; i < 100; i++) {
    try {
      (await Deno.connect({ hostname: "127.0.0.1", port })).close();
      return;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
  throw new Error("vsftpd does not listen");
}
