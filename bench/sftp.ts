/**
 * The SFTP door beside OpenSSH's own server, both by OpenSSH's client on loopback: a large file, and a
 * thousand small ones. OpenSSH's server is started on a port of its own, for the user that asks.
 */
import { startBench } from "./program.ts";
import { spread, table } from "./table.ts";

const large = 64 * 1024 * 1024;
const files = 1000;
const small = 4096;
const runs = 3;
/** The small files are moved with the first one alone: it is not the cipher that they cost. */
const ciphers = ["chacha20-poly1305@openssh.com", "aes128-ctr", "aes128-gcm@openssh.com"];

/** A server to be measured. */
interface Peer extends AsyncDisposable {
  readonly name: string;
  readonly user: string;
  readonly port: string;
  /** Where a client may write. */
  readonly top: string;
}

export async function benchSftp(): Promise<string> {
  const folder = await Deno.makeTempDir({ prefix: "barge-bench-sftp-" });
  try {
    await run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", `${folder}/key`);
    await makeFiles(folder);
    await using openssh = await startOpenSsh(folder);
    await using relaxed = await startBarge(folder, "relaxed");
    await using full = await startBarge(folder, "full");
    const rows: string[][] = [];
    for (const cipher of ciphers) {
      for (const peer of [openssh, relaxed]) rows.push(await measure(folder, peer, cipher));
      // OpenSSH's server syncs nothing; what that costs is the same with every cipher.
      if (cipher === ciphers[0]) rows.push(await measure(folder, full, cipher));
    }
    const title = `SFTP: a file of ${large / 2 ** 20} MiB, and ${files} of ${small} bytes, ` +
      "by OpenSSH's `sftp`, its login included";
    return table(title, ["cipher", "server", "put", "get", "put -R", "get -R"], rows);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function measure(folder: string, peer: Peer, cipher: string): Promise<string[]> {
  const { top } = peer;
  const steps = [
    ["-rm large", `put ${folder}/large ${top}/large`],
    [`get ${top}/large ${folder}/back`],
    [`put -R ${folder}/tree ${top}/`],
    [`get -R ${top}/tree ${folder}/back`],
  ].slice(0, cipher === ciphers[0] ? 4 : 2);
  const seconds: number[][] = steps.map(() => []);
  for (let i = 0; i < runs; i++) {
    for (const [at, step] of steps.entries()) {
      await run("rm", "-rf", `${folder}/back`);
      seconds[at].push(await sftp(folder, peer, cipher, step));
    }
    if (steps.length > 2) await sftp(folder, peer, cipher, [`rm ${top}/tree/*`]);
  }
  const rate = (times: number[]) => spread(times.map((s) => large / 2 ** 20 / s), "MiB/s", 0);
  const [put, get, putTree, getTree] = seconds;
  return [
    ...[cipher, peer.name, rate(put), rate(get)],
    ...[putTree, getTree].map((times) => times ? spread(times, "s") : ""),
  ];
}

/** @returns seconds */
async function sftp(folder: string, peer: Peer, cipher: string, steps: string[]): Promise<number> {
  await Deno.writeTextFile(`${folder}/batch`, steps.join("\n") + "\n");
  const began = performance.now();
  await run(
    "sftp",
    ...["-q", "-b", `${folder}/batch`, "-c", cipher, "-P", peer.port, "-i", `${folder}/key`],
    ...["-F", "none", "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null"],
    `${peer.user}@127.0.0.1`,
  );
  return (performance.now() - began) / 1000;
}

async function startBarge(folder: string, durability: "full" | "relaxed"): Promise<Peer> {
  const args = ["--workers", "1", "--durability", durability];
  const bench = await startBench(...args, "--sftp", "127.0.0.1:0");
  await bench.admin("user", "key", "add", "bench", `${folder}/key.pub`);
  return {
    name: durability === "full" ? "barge" : "barge --durability relaxed",
    user: "bench",
    port: bench.facts.sftp!.split(":")[1],
    top: "/home",
    [Symbol.asyncDispose]: () => bench[Symbol.asyncDispose](),
  };
}

async function startOpenSsh(folder: string): Promise<Peer> {
  const port = String(freePort());
  const top = `${folder}/openssh`;
  await Deno.mkdir(top);
  await run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", `${folder}/host`);
  const config = [
    ...["UsePAM no", "StrictModes no", "PidFile none", "Subsystem sftp internal-sftp"],
    ...[`Port ${port}`, "ListenAddress 127.0.0.1", `HostKey ${folder}/host`],
    ...[`AuthorizedKeysFile ${folder}/key.pub`, "LogLevel ERROR"],
  ];
  await Deno.writeTextFile(`${folder}/sshd_config`, config.join("\n") + "\n");
  if (Deno.uid() === 0) await Deno.mkdir("/run/sshd", { recursive: true });
  const server = new Deno.Command("/usr/sbin/sshd", {
    args: ["-D", "-e", "-f", `${folder}/sshd_config`],
  }).spawn();
  const user = (await run("id", "-un")).trim();
  return {
    ...{ name: (await version()) ?? "OpenSSH", user, port, top },
    async [Symbol.asyncDispose]() {
      server.kill("SIGTERM");
      await server.status;
    },
  };
}

async function version(): Promise<string | undefined> {
  const { stderr } = await new Deno.Command("ssh", { args: ["-V"], stderr: "piped" }).output();
  return /^OpenSSH_[\d.p]+/.exec(new TextDecoder().decode(stderr))?.[0].replace("_", " ");
}

/** It may be taken by another until it is used: a benchmark is then run again. */
function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

async function makeFiles(folder: string): Promise<void> {
  await run("sh", "-c", `head -c ${large} /dev/urandom > ${folder}/large`);
  await Deno.mkdir(`${folder}/tree`);
  const bytes = new Uint8Array(small);
  for (let i = 0; i < files; i++) {
    crypto.getRandomValues(bytes);
    await Deno.writeFile(`${folder}/tree/f${i}`, bytes);
  }
}

async function run(command: string, ...args: string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(command, { args }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  if (!success) throw new Error(`${command} ${args.join(" ")}: ${text(stderr)}`);
  return text(stdout);
}
