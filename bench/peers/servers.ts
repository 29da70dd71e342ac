/**
 * The peers' servers, configured for this work: at the workspace's site, without logs and TLS (only ssh
 * encrypts), with limits that allow the load.
 */
import { fileURLToPath } from "node:url";
import type { Workspace } from "./workspace.ts";
import { capture, freePort, serve, type Server } from "./process.ts";

const starters = { vsftpd, pyftpdlib, nginx, rsync: rsyncd, rclone, sshd };
export type PeerName = keyof typeof starters;

/** The installed servers. One that does not start is noted and omitted. */
export class Fleet implements AsyncDisposable {
  readonly #servers = new Map<PeerName, Server>();

  static async start(workspace: Workspace, ...names: readonly PeerName[]): Promise<Fleet> {
    const fleet = new Fleet();
    for (const name of names) {
      const path = workspace.tools[name];
      // ssh-keygen comes with the client.
      if (!path || name === "sshd" && !workspace.tools.ssh) continue;
      try {
        fleet.#servers.set(name, await starters[name](workspace, path, freePort()));
      } catch (error) {
        workspace.notes.push((error as Error).message);
      }
    }
    return fleet;
  }

  /** Calls `make` with a server. @returns undefined if it is missing */
  with<T>(name: PeerName, make: (server: Server) => T): T | undefined {
    const server = this.#servers.get(name);
    return server && make(server);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const server of this.#servers.values()) await server[Symbol.asyncDispose]();
  }
}

const isRoot = Deno.uid() === 0;

/** With anonymous uploads, which need no account on this machine. */
async function vsftpd(
  { work, root, site }: Workspace,
  program: string,
  port: number,
): Promise<Server> {
  const empty = `${work}/empty`;
  await Deno.mkdir(empty, { recursive: true });
  const settings = {
    listen: "YES",
    listen_ipv6: "NO",
    listen_address: site.host,
    listen_port: port,
    background: "NO",
    anonymous_enable: "YES",
    local_enable: "NO",
    write_enable: "YES",
    anon_root: root,
    anon_upload_enable: "YES",
    anon_mkdir_write_enable: "YES",
    anon_other_write_enable: "YES",
    anon_world_readable_only: "NO",
    no_anon_password: "YES",
    secure_chroot_dir: empty,
    anon_umask: "022",
    seccomp_sandbox: "NO",
    xferlog_enable: "NO",
    max_clients: 0,
    max_per_ip: 0, // the default is 50 from one address
    ...isRoot ? {} : { run_as_launching_user: "YES" },
  };
  const lines = Object.entries(settings).map(([name, value]) => `${name}=${value}\n`);
  await Deno.writeTextFile(`${work}/vsftpd.conf`, lines.join(""));
  return await serve(program, [`${work}/vsftpd.conf`], port, { site });
}

function pyftpdlib({ root }: Workspace, python: string, port: number): Promise<Server> {
  const script = fileURLToPath(new URL("./pyftpdlib_server.py", import.meta.url));
  return serve(python, [script, String(port), root], port);
}

/** With a worker for each core; uploads by WebDAV's PUT. */
async function nginx({ work, root }: Workspace, program: string, port: number): Promise<Server> {
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
    .map((name) => `${name}_temp_path ${work}/nginx-${name};`).join(" ");
  await Deno.writeTextFile(
    `${work}/nginx.conf`,
    `daemon off; worker_processes auto; worker_rlimit_nofile 8192; pid ${work}/nginx.pid;
     error_log ${work}/nginx.log crit; ${isRoot ? "user root;" : ""}
     events { worker_connections 4096; }
     http {
       access_log off; sendfile on; tcp_nopush on; default_type application/octet-stream;
       keepalive_timeout 1h; keepalive_requests 100000000; client_max_body_size 0; ${temporary}
       server {
         listen 127.0.0.1:${port} backlog=4096; root ${root};
         location /up/ { dav_methods PUT DELETE MKCOL; create_full_put_path on; }
       }
     }`,
  );
  return await serve(program, ["-e", `${work}/nginx.log`, "-c", `${work}/nginx.conf`], port);
}

async function rsyncd(
  { work, root, site }: Workspace,
  program: string,
  port: number,
): Promise<Server> {
  const config = [
    `port = ${port}`,
    `address = ${site.host}`,
    "use chroot = no",
    "max connections = 0",
    ...isRoot ? ["uid = root", "gid = root"] : [],
    "[root]",
    `path = ${root}`,
    "read only = no",
  ];
  await Deno.writeTextFile(`${work}/rsyncd.conf`, config.join("\n") + "\n");
  const args = ["--daemon", "--no-detach", `--config=${work}/rsyncd.conf`];
  return await serve(program, args, port, { site });
}

function rclone({ work, root, site }: Workspace, program: string, port: number): Promise<Server> {
  const where = ["--config", `${work}/rclone.conf`, "--addr", `${site.host}:${port}`];
  return serve(program, ["serve", "webdav", ...where, root], port, { site });
}

/** For the current user, with keys of its own; clients use {@link sshOptions}. */
async function sshd(workspace: Workspace, program: string, port: number): Promise<Server> {
  const { work, site } = workspace;
  await makeKey(workspace);
  const config = [
    "UsePAM no",
    "StrictModes no",
    "PidFile none",
    "Subsystem sftp internal-sftp",
    `Port ${port}`,
    `ListenAddress ${site.host}`,
    `HostKey ${work}/host`,
    "MaxStartups 4096",
    `AuthorizedKeysFile ${work}/key.pub`,
    "PasswordAuthentication no",
    "LogLevel ERROR",
    "PermitRootLogin prohibit-password",
    `SetEnv HOME=${work}`,
  ];
  await Deno.writeTextFile(`${work}/sshd_config`, config.join("\n") + "\n");
  // sshd requires its folder for privilege separation.
  if (isRoot) await Deno.mkdir("/run/sshd", { recursive: true });
  return await serve(program, ["-D", "-e", "-f", `${work}/sshd_config`], port, { site });
}

/** Makes missing keys for ssh's clients and its server. @returns the path of the client's */
export async function makeKey({ work }: Workspace): Promise<string> {
  for (const name of ["host", "key"]) {
    const path = `${work}/${name}`;
    if (await Deno.stat(path).then(() => true, () => false)) continue;
    const made = await capture("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", path]);
    if (!made.success) throw new Error(`ssh-keygen: ${made.stderr}`);
  }
  return `${work}/key`;
}

/** Options of scp and sftp for a local server, independent of the user's configuration. */
export async function sshOptions(
  { work }: Workspace,
  port: number,
  user?: string,
): Promise<string[]> {
  const name = user ?? (await capture("id", ["-un"])).stdout.trim();
  const options = {
    User: name,
    IdentityFile: `${work}/key`,
    IdentitiesOnly: "yes",
    BatchMode: "yes",
    StrictHostKeyChecking: "no",
    UserKnownHostsFile: "/dev/null",
    LogLevel: "ERROR",
  };
  const flags = Object.entries(options).flatMap(([key, value]) => ["-o", `${key}=${value}`]);
  return ["-q", "-F", "none", "-P", String(port), ...flags];
}
