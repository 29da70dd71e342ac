/** Makes a systemd unit for `barge serve` (systemd.service(5), systemd.exec(5)). */
import { basename, dirname } from "node:path";

export interface UnitOptions {
  /** The executable, absolute. */
  readonly program: string;
  /** The arguments after `serve`; they or the configuration file name `data`. */
  readonly args: readonly string[];
  /** The absolute path of the data directory; undefined: systemd makes one. */
  readonly data: string | undefined;
  /** The owner of `data`: a name, or a number as text. Undefined if it is root, or `data` does not exist. */
  readonly user: string | undefined;
  /** How long requests may take to end when the server stops, in seconds. */
  readonly grace: number;
  /** Whether the server listens on a port below 1024. */
  readonly lowPort: boolean;
  /** The paths of its Unix sockets. */
  readonly sockets?: readonly string[];
  /** The configuration file and the other files that it reads, absolute. */
  readonly config?: string;
  readonly files: readonly string[];
  /** The files with secrets that the server reads, absolute. */
  readonly secrets: readonly string[];
  /** The command lines of the programs that it runs. */
  readonly hooks: readonly string[];
}

/** The user that the operator must create if the data directory has no owner yet, or belongs to root. */
const defaultUser = "barge";
/** How much longer than --grace systemd waits for the server to stop. */
const stopMarginSeconds = 15;

/**
 * Returns the text of a unit file.
 *
 * @example
 * ```ts
 * import { systemdUnit } from "./unit.ts";
 * const files = { files: [], secrets: [], hooks: [] };
 * const options = { program: "/usr/local/bin/barge", args: ["--workers", "2"], grace: 30, lowPort: false };
 * const unit = systemdUnit({ ...options, ...files, data: undefined, user: undefined });
 * if (!unit.includes("\nDynamicUser=yes\n") || !unit.includes("serve --workers 2 --data %S/barge\n")) throw unit;
 * ```
 */
export function systemdUnit(options: UnitOptions): string {
  const { program, args, data, user, grace, lowPort, config, files, secrets, hooks } = options;
  const words = [program, "serve", ...args].map(quote);
  if (data === undefined) words.push("--data", "%S/barge");
  const folders = [...new Set((options.sockets ?? []).map((path) => dirname(path)))];
  const isRuntime = (folder: string) => /^\/run\/[^/]+$/.test(folder);
  const runtime = folders.filter(isRuntime).map((folder) => quote(basename(folder)));
  const socketFolders = [
    // A socket unit may have made the socket there, which has to stay while the server restarts.
    ...runtime.length > 0
      ? [`RuntimeDirectory=${runtime.join(" ")}`, "RuntimeDirectoryPreserve=yes"]
      : [],
    ...folders.filter((folder) => !isRuntime(folder)).map((folder) =>
      `ReadWritePaths=${quote(folder)}`
    ),
  ];
  const capability = lowPort ? "CAP_NET_BIND_SERVICE" : "";
  // A hook is a whole command line, whose own arguments may be paths.
  const paths = [program, data ?? "", ...files, ...hooks.flatMap((line) => line.split(/[\s'"=]+/))];
  const anyBelow = (folders: RegExp) => paths.some((path) => folders.test(path));
  const owner = data === undefined
    ? ["DynamicUser=yes", "StateDirectory=barge", "StateDirectoryMode=0700"]
    : [
      ...user === undefined ? howToMakeUser(data) : ["# The owner of the data directory."],
      `User=${quote(user ?? defaultUser)}`,
      `ReadWritePaths=${quote(data)}`,
    ];
  const hookNote = hooks.length > 0
    ? `# The programs of --on-commit and --check-upload run as this user and with these restrictions, too.
# To write files elsewhere they need ReadWritePaths=.
`
    : "";
  const secretNotes = secrets.length === 0 ? [] : [
    "# The user of this unit must be able to read these files. SupplementaryGroups= may help, or",
    "# LoadCredential= in systemd.exec(5), which copies a file for the service at each start.",
    ...secrets.map((path) => `#   ${path.replaceAll("\n", "?")}`),
  ];
  const configNote = config === undefined
    ? ""
    : `# Print this unit again after a change of addresses, data, grace, files or programs in
# ${config.replaceAll("\n", "?")}
# which its user must be able to read. systemctl reload barge applies changes of limits.
`;
  return `# Put this into /etc/systemd/system/barge.service, then: systemctl daemon-reload;
# systemctl enable --now barge. To find the file with admin's password: journalctl -u barge
${configNote}[Unit]
Description=barge file server
Wants=network-online.target
After=network-online.target

[Service]
Type=notify
ExecStart=${words.join(" ")}
# The shell has a kill of its own, which small systems lack as a program.
ExecReload=/bin/sh -c 'kill -HUP "$$MAINPID"'
Restart=on-failure
RestartSec=2
# A restart does not mend a wrong command line.
RestartPreventExitStatus=2
# --grace, and time to record the transfers that were interrupted.
TimeoutStopSec=${grace + stopMarginSeconds}
# SIGTERM goes to the main process alone, which stops the programs that it runs.
KillMode=mixed
LimitNOFILE=65536
# A self-extracting executable unpacks itself here, once.
CacheDirectory=barge
Environment=XDG_CACHE_HOME=%C

${[...secretNotes, ...owner, ...socketFolders].join("\n")}
${hookNote}UMask=0077
ProtectSystem=strict
ProtectHome=${anyBelow(/^\/(home|root|run\/user)\//) ? "read-only" : "yes"}
PrivateTmp=${anyBelow(/^\/(var\/)?tmp\//) ? "no" : "yes"}
PrivateDevices=yes
DevicePolicy=closed
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectProc=invisible
NoNewPrivileges=yes
CapabilityBoundingSet=${capability}
AmbientCapabilities=${capability}
LockPersonality=yes
RemoveIPC=yes
# AF_NETLINK lists this machine's addresses, which FTP's active mode must not reach.
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
SystemCallArchitectures=native
# With @pkey V8 protects its own code.
SystemCallFilter=@system-service @pkey
SystemCallFilter=~@privileged
SystemCallErrorNumber=EPERM
# V8 compiles at run time, so it needs memory that is writable and executable.
MemoryDenyWriteExecute=no

[Install]
WantedBy=multi-user.target
`;
}

/** Returns comments that explain how to make the user; safe for any path. */
function howToMakeUser(data: string): string[] {
  const path = `'${data.replaceAll("'", "'\\''").replaceAll("\n", "?")}'`;
  return [
    "# Make this user first, and give it the directory. Without a home its commands leave nothing else there:",
    `#   useradd --system --user-group --home-dir /nonexistent --shell /usr/sbin/nologin ${defaultUser}`,
    `#   install -d -m 0700 ${path} && chown -R ${defaultUser}: ${path}`,
  ];
}

/** Quotes a word of a command line for systemd, where `%` begins a specifier and `$` a variable. */
function quote(word: string): string {
  const plain = word.replaceAll("%", "%%").replaceAll("$", "$$$$");
  if (/^[\w@%+=:,./$-]+$/.test(plain)) return plain;
  const escaped = plain.replace(/["\\]/g, "\\$&").replaceAll("\n", "\\n").replaceAll("\t", "\\t");
  return `"${escaped}"`;
}
