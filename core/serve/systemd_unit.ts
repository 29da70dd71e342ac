/** A systemd unit for `barge serve` (systemd.service(5), systemd.exec(5)); it writes text only. */

export interface UnitOptions {
  /** The executable, absolute. */
  readonly program: string;
  /** What follows `serve` on its command line, without --data and --grace. */
  readonly args: readonly string[];
  /** A data directory that is there already, absolute; undefined: systemd makes one. */
  readonly data: string | undefined;
  /**
   * The owner of the directory: a name, or a number as text. Undefined: root, or no such directory.
   */
  readonly user: string | undefined;
  /** Seconds that requests may take to end when it is stopped. */
  readonly grace: number;
  /** Does it listen on a port below 1024? */
  readonly lowPort: boolean;
}

/** The user that the operator is to make where the directory has no other owner. */
const ownUser = "barge";
/** How much longer than --grace systemd waits, in seconds. */
const margin = 15;

/**
 * @returns the text of a unit file
 *
 * @example
 * ```ts
 * import { systemdUnit } from "./systemd_unit.ts";
 * const unit = systemdUnit({
 *   program: "/usr/local/bin/barge",
 *   args: ["--native", "0.0.0.0:7171"],
 *   data: undefined,
 *   user: undefined,
 *   grace: 30,
 *   lowPort: false,
 * });
 * if (!unit.includes("\nDynamicUser=yes\n") || !unit.includes("--data %S/barge")) throw unit;
 * ```
 */
export function systemdUnit(options: UnitOptions): string {
  const { program, args, data, user, grace, lowPort } = options;
  const words = [program, "serve", ...args, "--grace", String(grace)].map(quote);
  words.push("--data", data === undefined ? "%S/barge" : quote(data));
  const key = args.some((arg) => arg.startsWith("--tls-key"));
  const capability = lowPort ? "CAP_NET_BIND_SERVICE" : "";
  const hooks = args.some((arg) => /^--(on-commit|check-upload)(=|$)/.test(arg));
  // An argument may hold a program with arguments of its own, and paths among them.
  const needed = [program, data ?? "", ...args.flatMap((arg) => arg.split(/[\s'"=]+/))];
  const below = (folders: RegExp) => needed.some((path) => folders.test(path));
  const place = data === undefined
    ? ["DynamicUser=yes", "StateDirectory=barge", "StateDirectoryMode=0700"]
    : [
      ...user === undefined ? howToMakeUser(data) : ["# The owner of the data directory."],
      `User=${quote(user ?? ownUser)}`,
      `ReadWritePaths=${quote(data)}`,
    ];
  const confined = hooks
    ? `# The programs of --on-commit and --check-upload run as this user, and under all of this, too:
# what they write elsewhere needs ReadWritePaths=, for instance.
`
    : "";
  return `# Put this into /etc/systemd/system/barge.service, then: systemctl daemon-reload;
# systemctl enable --now barge; journalctl -u barge (it names the file with admin's password)
[Unit]
Description=barge file server
Wants=network-online.target
After=network-online.target

[Service]
Type=notify
ExecStart=${words.join(" ")}
ExecReload=kill -HUP $MAINPID
Restart=on-failure
RestartSec=2
# What was written wrong does not get better.
RestartPreventExitStatus=2
# --grace, and time to settle what was cut.
TimeoutStopSec=${grace + margin}
# SIGTERM to the main process alone; it tells its workers.
KillMode=mixed
LimitNOFILE=65536
# Where a self-extracting executable unpacks itself, once.
CacheDirectory=barge
Environment=XDG_CACHE_HOME=%C

${key ? "# This user must be able to read the key, SupplementaryGroups= may help.\n" : ""}${
    place.join("\n")
  }
${confined}UMask=0077
ProtectSystem=strict
ProtectHome=${below(/^\/(home|root|run\/user)\//) ? "read-only" : "yes"}
PrivateTmp=${below(/^\/(var\/)?tmp\//) ? "no" : "yes"}
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
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
SystemCallArchitectures=native
# With @pkey V8 protects its own code.
SystemCallFilter=@system-service @pkey
SystemCallFilter=~@privileged
SystemCallErrorNumber=EPERM
# V8 makes machine code as it goes: it can't live with this one.
MemoryDenyWriteExecute=no

[Install]
WantedBy=multi-user.target
`;
}

/** Returns comments on how to make the user and give it the directory; safe for any path. */
function howToMakeUser(data: string): string[] {
  const path = `'${data.replaceAll("'", "'\\''").replaceAll("\n", "?")}'`;
  return [
    "# Make this user first, and give it the directory:",
    `#   useradd --system --user-group --home-dir ${path} --shell /usr/sbin/nologin ${ownUser}`,
    `#   install -d -m 0700 ${path} && chown -R ${ownUser}: ${path}`,
  ];
}

/** One word of a command line, for systemd: `%` begins a specifier there, `$` a variable. */
function quote(word: string): string {
  const plain = word.replaceAll("%", "%%").replaceAll("$", "$$$$");
  if (/^[\w@%+=:,./$-]+$/.test(plain)) return plain;
  const escaped = plain.replace(/["\\]/g, "\\$&").replaceAll("\n", "\\n").replaceAll("\t", "\\t");
  return `"${escaped}"`;
}
