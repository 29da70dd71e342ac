/** The programs that barge is measured with: which are here, of which version, and how to get the rest. */
import { capture } from "./process.ts";

/** Name, its package in Debian, and what to ask for its version. */
const known = {
  curl: { from: "curl", ask: ["--version"] },
  vsftpd: { from: "vsftpd", ask: ["-v"] },
  pyftpdlib: { from: "python3-pyftpdlib", ask: [] },
  nginx: { from: "nginx-light", ask: ["-v"] },
  rsync: { from: "rsync", ask: ["--version"] },
  rclone: { from: "rclone", ask: ["version"] },
  sshd: { from: "openssh-server", ask: [] },
  ssh: { from: "openssh-client", ask: ["-V"] },
  scp: { from: "openssh-client", ask: [] },
  sftp: { from: "openssh-client", ask: [] },
  lftp: { from: "lftp", ask: ["--version"] },
  python3: { from: "python3", ask: ["--version"] },
  node: { from: "nodejs", ask: ["--version"] },
  gcc: { from: "gcc libc6-dev", ask: ["-dumpfullversion"] },
} as const;

export type ToolName = keyof typeof known;
const names = Object.keys(known) as ToolName[];

/** Where each is; those that are not here are left out. pyftpdlib is the Python that has it. */
export type Tools = Readonly<Partial<Record<ToolName, string>>>;

export async function findTools(): Promise<Tools> {
  const entries = names.map(async (name) => [name, await find(name)] as const);
  return Object.fromEntries((await Promise.all(entries)).filter(([, path]) => path !== undefined));
}

async function find(name: ToolName): Promise<string | undefined> {
  if (name === "pyftpdlib") return await withModule(name);
  const path = which(name);
  if (name !== "node" || !path) return path;
  // Where there is no Node, a task of Deno's finds Deno under its name.
  const { stdout } = await capture(path, ["--version"]);
  return stdout.startsWith("deno") ? undefined : path;
}

/** The versions of those that are here, in one line; and a line on the others, if any. */
export async function describeTools(tools: Tools): Promise<string[]> {
  const versions = await Promise.all(names.map(async (name) => {
    const { ask } = known[name];
    if (!tools[name] || name !== "pyftpdlib" && ask.length === 0) return [];
    const asked = name === "pyftpdlib"
      ? ["-c", "import pyftpdlib; print(pyftpdlib.__ver__)"]
      : [...ask];
    const { stdout, stderr } = await capture(tools[name], asked);
    const number = /\d+\.\d+[\w.]*/.exec(stdout + stderr)?.[0] ?? "";
    return [`${name === "ssh" ? "OpenSSH" : name} ${number}`.trim()];
  }));
  const missing = names.filter((name) => !tools[name]);
  const packages = [...new Set(missing.flatMap((name) => known[name].from.split(" ")))];
  return [
    versions.flat().join(", "),
    ...missing.length === 0 ? [] : [
      `not here, and left out: ${missing.join(", ")}; on Debian: apt install ${packages.join(" ")}`,
    ],
  ];
}

/** The first Python that has a module: a Python of the user's own may come before the system's. */
async function withModule(module: string): Promise<string | undefined> {
  const candidates = [which("python3"), "/usr/bin/python3"].filter((path) => path !== undefined);
  for (const python of new Set(candidates)) {
    try {
      if ((await capture(python, ["-c", `import ${module}`])).success) return python;
    } catch {
      // Not there at all.
    }
  }
}

/** On the PATH, or where servers are that are no commands for everyone. */
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
