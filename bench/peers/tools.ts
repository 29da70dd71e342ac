/** The programs of the contests: paths, versions, and packages of the missing ones. */
import { capture } from "./process.ts";

/** Debian packages, and arguments that print the version. */
const programs = {
  curl: { packages: "curl", versionArgs: ["--version"] },
  vsftpd: { packages: "vsftpd", versionArgs: ["-v"] },
  pyftpdlib: { packages: "python3-pyftpdlib", versionArgs: [] },
  nginx: { packages: "nginx-light", versionArgs: ["-v"] },
  rsync: { packages: "rsync", versionArgs: ["--version"] },
  rclone: { packages: "rclone", versionArgs: ["version"] },
  sshd: { packages: "openssh-server", versionArgs: [] },
  ssh: { packages: "openssh-client", versionArgs: ["-V"] },
  scp: { packages: "openssh-client", versionArgs: [] },
  sftp: { packages: "openssh-client", versionArgs: [] },
  lftp: { packages: "lftp", versionArgs: ["--version"] },
  python3: { packages: "python3", versionArgs: ["--version"] },
  node: { packages: "nodejs", versionArgs: ["--version"] },
  gcc: { packages: "gcc libc6-dev", versionArgs: ["-dumpfullversion"] },
} as const;

export type ToolName = keyof typeof programs;
const names = Object.keys(programs) as ToolName[];

/** The paths of the installed programs; that of pyftpdlib is a Python that has it. */
export type Tools = Readonly<Partial<Record<ToolName, string>>>;

export async function findTools(): Promise<Tools> {
  const entries = names.map(async (name) => [name, await find(name)] as const);
  return Object.fromEntries((await Promise.all(entries)).filter(([, path]) => path !== undefined));
}

async function find(name: ToolName): Promise<string | undefined> {
  if (name === "pyftpdlib") return await withModule(name);
  const path = which(name);
  if (name !== "node" || !path) return path;
  // Without Node, a task of Deno finds Deno under this name.
  const { stdout } = await capture(path, ["--version"]);
  return stdout.startsWith("deno") ? undefined : path;
}

/** Returns a line with the versions, and one with the missing programs, if any. */
export async function describeTools(tools: Tools): Promise<string[]> {
  const versions = await Promise.all(names.map(async (name) => {
    const { versionArgs } = programs[name];
    if (!tools[name] || name !== "pyftpdlib" && versionArgs.length === 0) return [];
    const args = name === "pyftpdlib"
      ? ["-c", "import pyftpdlib; print(pyftpdlib.__ver__)"]
      : [...versionArgs];
    const { stdout, stderr } = await capture(tools[name], args);
    const number = /\d+\.\d+[\w.]*/.exec(stdout + stderr)?.[0] ?? "";
    return [`${name === "ssh" ? "OpenSSH" : name} ${number}`.trim()];
  }));
  const missing = names.filter((name) => !tools[name]);
  const packages = [...new Set(missing.flatMap((name) => programs[name].packages.split(" ")))];
  return [
    versions.flat().join(", "),
    ...missing.length === 0 ? [] : [
      `missing: ${missing.join(", ")}; on Debian: apt install ${packages.join(" ")}`,
    ],
  ];
}

/** Returns the first Python with a module; the user's own may come before the system's. */
async function withModule(module: string): Promise<string | undefined> {
  const candidates = [which("python3"), "/usr/bin/python3"].filter((path) => path !== undefined);
  for (const python of new Set(candidates)) {
    try {
      if ((await capture(python, ["-c", `import ${module}`])).success) return python;
    } catch {
      // The candidate does not exist.
    }
  }
}

/** Finds a program on the PATH or in the folders of servers. */
export function which(name: string): string | undefined {
  const folders = [...(Deno.env.get("PATH") ?? "").split(":"), "/usr/sbin", "/sbin"];
  return folders.map((folder) => `${folder}/${name}`).find((path) => {
    try {
      const { isFile, mode } = Deno.statSync(path);
      return isFile && ((mode ?? 0) & 0o111) !== 0;
    } catch {
      return false;
    }
  });
}
