/** `barge serve`: the server. */
import { resolve } from "node:path";
import { type Address, formatAddress } from "../core/net/address.ts";
import { logLevels } from "../core/serve/log_level.ts";
import {
  describeStorage,
  secretOptions,
  sharedOptions,
  storageOptions,
} from "./_data/storage_options.ts";
import { acmeOptions } from "./_serve/acme.ts";
import { doorOptions } from "./_serve/doors.ts";
import { auditOptions } from "./_serve/audit.ts";
import { eventOptions, eventsOf } from "./_serve/events.ts";
import { hookOptions, hooksOf } from "./_serve/hooks.ts";
import { limitOptions } from "./_serve/limits.ts";
import { checkPartners } from "./_serve/partners.ts";
import {
  fileMode,
  ipv4,
  maxNodeNameCharacters,
  networks,
  nodeName,
  portRange,
  publicUrl,
} from "./_serve/values.ts";
import { verifyOf, verifyOptions } from "./_serve/verify.ts";
import {
  command,
  dataOption,
  flag,
  marked,
  named,
  value,
  valueOr,
  values,
} from "./_term/command.ts";
import { printJson } from "./_term/out.ts";
import { addressOrOff, count, listOf, oneOf, path } from "./_term/value.ts";
import { version } from "./_version.ts";

/** The options, without those that every verb has. */
const serveOptions = {
  ...marked({
    config: value(
      path("FILE"),
      "The configuration file, in TOML: the options under the same names, and in [limits] those from " +
        "--quota to --rate-down. SIGHUP reads it again; see `barge help config check`",
    ),
  }, { place: "none" }),
  data: dataOption(),
  ...storageOptions,
  ...marked(secretOptions, { needs: ["store"] }),
  nodeName: valueOr(
    nodeName(),
    () => Deno.hostname().slice(0, maxNodeNameCharacters) || "node",
    "With --store: the name of this node in `barge status` and in metrics. Default: the host's name",
  ),
  native: door(
    { host: "127.0.0.1", port: 7171 },
    "the native door (BARGE/1); also unix:/PATH",
    true,
  ),
  http: door(
    { host: "127.0.0.1", port: 8080 },
    "the HTTP door (page, API, WebDAV); also unix:/PATH",
    true,
  ),
  ftp: door(null, "the FTP door (TLS on request)"),
  ftps: door(null, "the FTP door inside TLS"),
  ftpPassivePorts: valueOr(
    portRange(),
    [20_000, 23_999] as const,
    "The ports for FTP's passive data connections; each takes a random one. Default: 20000-23999",
  ),
  ftpPublicAddress: value(
    ipv4(),
    "The address in FTP's PASV replies, if clients reach the server at another one than its own",
  ),
  ftpActive: valueOr(
    oneOf("on", "off"),
    "off",
    "Whether FTP's PORT lets the server connect to its client, to ports from 1024 on. Workers can " +
      "then connect to any IPv4 address except this machine's. Default: off",
  ),
  ftpActiveLoopback: flag(
    "The same for clients on this machine: any client that connects through a local tunnel or " +
      "proxy can then make the server write to, and read from, every local service",
  ),
  ftpSessionReuse: valueOr(
    oneOf("always", "tickets", "never"),
    "tickets",
    "Whose data connections must resume the TLS session of FTP's control connection: those of all " +
      "clients, or of clients that use session tickets. Without it, another client with the same " +
      "address can take a data connection. Default: tickets",
  ),
  sftp: door(null, "the SFTP door (scp, sftp, rclone, WinSCP, sshfs)"),
  socketMode: valueOr(
    fileMode(),
    0o660,
    "The permissions of the files of Unix sockets. Default: 0660, for the server's user and group",
  ),
  trustedProxy: values(
    networks(),
    "A trusted proxy, by its address or network (several: with commas, or repeated), or unix: " +
      "for all programs that connect to a Unix socket: the HTTP door takes its X-Forwarded-For and " +
      "X-Forwarded-Proto",
  ),
  proxyProtocol: flag(
    "These proxies begin each connection to the other doors with a PROXY header (version 1 or 2)",
  ),
  publicUrl: value(
    publicUrl(),
    "The URL of the HTTP door behind a proxy, as in https://box.example/files; the proxy must not " +
      "change paths",
  ),
  metrics: valueOr(
    addressOrOff(),
    null,
    "An address for /metrics without a login, for Prometheus. Default: off; the HTTP door has " +
      "/metrics for admins",
  ),
  workers: valueOr(
    count("N", 1, 256),
    navigator.hardwareConcurrency,
    "The number of workers: isolates that may access only their ports, the users' files and the " +
      "database. Default: one a core",
  ),
  durability: valueOr(
    oneOf("full", "relaxed"),
    "full",
    "`full`: acknowledged files survive a power cut. `relaxed`: skips syncs",
  ),
  ...marked(
    { allowRegister: flag("Let anyone make an account with `barge register`") },
    { reloads: "always" },
  ),
  ...marked({
    requireTotp: value(
      listOf("admin", "user"),
      "The roles whose accounts must enable a second factor before they can do anything else, with " +
        "commas between them. On a cluster, give all nodes the same. Default: none",
    ),
  }, { reloads: "always" }),
  ...limitOptions,
  ...marked({
    limits: value(
      path("FILE"),
      "Deprecated: a JSON object of these limits. It overrides the table [limits] of --config, which " +
        "replaces it; SIGHUP reads it again",
    ),
  }, { place: "none" }),
  tls: flag("Use TLS on loopback addresses, too. Default: only on others"),
  ...marked({
    tlsCert: value(
      path("FILE"),
      "The certificate in PEM, followed by its chain. Default: one that barge makes in DATA/tls",
    ),
    tlsKey: value(path("FILE"), "The key of --tls-cert, in PEM"),
  }, { reloads: "replaced" }),
  ...acmeOptions,
  ...marked({
    proxyCert: value(
      path("FILE"),
      "The certificate, in PEM, of a proxy that ends TLS for a native door without TLS. Logins are " +
        "bound to it. SIGHUP reads it again",
    ),
  }, { reloads: "always" }),
  ...marked({
    plaintext: flag(
      "Listen without TLS on addresses that other machines reach. The network can read files, and " +
        "passwords at all doors except the native one",
    ),
  }, { excludes: ["tls"] }),
  grace: valueOr(
    count("SECONDS", 0, 86_400),
    30,
    "The time in which transfers can end when the server is stopped. Others are cut, and can be " +
      "resumed. Default: 30",
  ),
  unconfined: flag(
    "Accept a data directory below /dev, /proc or /sys, where the runtime can't confine workers: " +
      "an attacker who takes over a worker can do everything that this user can",
  ),
  ...eventOptions,
  ...auditOptions,
  ...verifyOptions,
  ...hookOptions,
  ...marked({
    logLevel: valueOr(
      oneOf(...logLevels),
      "info",
      "The log level on standard error; requests are `info`, failed logins `warn`. Default: info",
    ),
  }, { reloads: "always" }),
  readyFd: value(
    count("N", 3, 65_535),
    "Write the output of --json to this descriptor when the server is ready, and close it",
  ),
  ...marked({
    adopt: flag(
      "Make a new accounts database for existing files if the old one is lost: see below",
    ),
    printUnit: flag("Print a systemd unit with the other options (not variables), and exit"),
    printSocket: flag("Print a systemd socket unit (barge.socket) for the doors, and exit"),
  }, { place: "none" }),
};

export default command({
  options: serveOptions,
  about: `Serves the files and accounts in a data directory. The first start makes the directory and
    the account \`admin\`. Its password is shown once on the terminal; without a terminal it is
    written to \`admin-password\` in the directory, and the log names that file.

    Ctrl-C or SIGTERM stops the server: it accepts nothing new, and transfers have --grace seconds to
    end; the same command resumes those that are cut. A second signal ends it at once. The server
    notifies systemd when it is ready.

    On addresses that other machines reach it uses TLS, with a certificate that it makes at the first
    start. \`barge cert\` prints the fingerprint, which clients show and pin when they first connect.
    With --acme it gets a certificate from an authority and renews it: docs/certificates.md.
    SIGHUP reads the files of --config, --limits and the certificates again: new rates apply to
    transfers under way, the other limits to new requests. The log names the options that changed,
    and those that need a restart; a file with a fault changes nothing.

    If a directory holds files in homes/ or public/ but no accounts.db, the database is lost, and the
    start fails with exit code 7: restore it from a backup. Without a backup, --adopt makes a new
    database; use it once. The files stay in their places: homes/admin belongs to the new admin, and
    any other homes/NAME has no account until \`barge user add NAME --adopt\`.
    \`barge verify --repair\` charges the files.

    --check-upload and --on-commit run your programs, without a shell, as the server's user. Each
    reads one JSON object from standard input: event, account, path, file (the file with the bytes),
    size, sha256, modified, verified, door, replaced, time; --on-commit also id.

    Events are written in the transaction of the change that they report, and delivered at least
    once, also after a crash: to the program of --on-commit, and with signatures to --webhook. What
    is not taken is tried again; \`barge event list\` shows it.`,
  examples: [
    ["barge serve", "serve on 127.0.0.1:7171, and http://127.0.0.1:8080"],
    ["barge serve --config /etc/barge/barge.toml", "serve with the options of a file"],
    ["barge serve --data /srv/barge --native 0.0.0.0:7171", "serve other machines, with TLS"],
    [
      "barge serve --native 0.0.0.0:7171 --tls-cert box.pem --tls-key box.key",
      "the same, with your own certificate",
    ],
    [
      "barge serve --trusted-proxy 127.0.0.1 --public-url https://box.example",
      "serve the web behind a proxy on this machine",
    ],
    [
      "barge serve --allow-register --quota 20GiB --register-total 1TiB",
      "let anyone register, with 20 GiB",
    ],
    ["barge serve --on-commit 'notify --quiet'", "run a program after each upload"],
    [
      "barge serve --webhook https://ci.example/barge --webhook-secret-file secret",
      "send each event to a server, signed",
    ],
    ["barge serve --print-unit --native 0.0.0.0:7171", "a hardened systemd unit for it"],
  ],
  async readFiles(given, options) {
    if (!given.has("config") && !given.has("limits")) return new Map();
    return (await import("./_config/server_file.ts")).readServerFiles(given, options);
  },
  async run(options, { signal, sources, readAgain }) {
    const { data, durability, json, readyFd } = options;
    const table = named(serveOptions);
    checkPartners(table, sources);
    const { placeDoors, takeInheritedSockets } = await import(
      "../core/serve/systemd/activation.ts"
    );
    const inherited = takeInheritedSockets();
    const asked = placeDoors(doorOptions(options), inherited);
    const traces = await readTraceOptions(options.nodeName);
    if (options.printUnit || options.printSocket) {
      const { printSocketUnit, printUnit } = await import("./_serve/unit.ts");
      const doors = [...Object.values(asked.doors), options.metrics, options.acmeHttp];
      if (options.printSocket) return printSocketUnit(doors, options.socketMode);
      const words = Deno.args.slice(Deno.args.indexOf("serve") + 1);
      return printUnit(words, { ...options, doors }, { options: table, sources });
    }
    const { checkReadyFd, writeReadyFd } = await import("../core/serve/ready_fd.ts");
    if (readyFd !== undefined) checkReadyFd(readyFd);
    const { adjustableOf, settingsReader } = await import("./_serve/reload.ts");
    const { serve } = await import("../core/serve/serve.ts");
    const { noteFirstAccount, noteReady, warnOfLimits } = await import("./_serve/banner.ts");
    const { exists } = await import("./_data/accounts.ts");
    const { otherServers } = await import("../core/serve/running_servers.ts");
    const shared = await sharedOptions(options);
    const isNew = !shared && !exists(`${data}/accounts.db`);
    const others = isNew ? otherServers(data) : undefined;
    const rules = { version, ...adjustableOf(options) };
    const node = { id: crypto.randomUUID(), name: options.nodeName };
    let first: string | undefined;
    await serve({
      ...options,
      ...asked,
      inherited,
      traces,
      settings: shared ? { ...rules, shared, node } : { ...rules, data, durability },
      readSettings: settingsReader({ values: options, sources }, table, readAgain),
      signal,
      grace: options.grace * 1000,
      hooks: hooksOf(options),
      events: await eventsOf(options),
      verify: verifyOf(options),
      notifySocket: Deno.env.get("NOTIFY_SOCKET"),
      keepPassword: !Deno.stderr.isTerminal(),
      onFirstAccount(name, secret) {
        first = name;
        noteFirstAccount(name, secret);
      },
      onReload(reload) {
        if (Deno.build.os !== "windows") Deno.addSignalListener("SIGHUP", () => void reload());
      },
      async onReady(facts, hostKeys) {
        const ready = { event: "ready", ...facts };
        if (json) printJson(ready);
        if (readyFd !== undefined) await writeReadyFd(readyFd, JSON.stringify(ready));
        const place = shared ? describeStorage(shared) : resolve(data);
        const metrics = asked.metrics ?? null;
        const banner = { data: place, doors: asked.doors, metrics, first, isNew, others };
        noteReady(facts, hostKeys, { ...options, ...banner });
        if (options.limits !== undefined) warnOfLimits();
      },
    });
  },
});

/** Returns the settings of traces. The code is loaded only if a variable names a collector. */
async function readTraceOptions(instance: string) {
  const isNamed = ["", "_TRACES"].some((kind) =>
    Deno.env.has(`OTEL_EXPORTER_OTLP${kind}_ENDPOINT`)
  );
  if (!isNamed) return undefined;
  const { traceOptions } = await import("../core/serve/tracing/settings.ts");
  return traceOptions((name) => Deno.env.get(name), {
    "service.name": "barge",
    "service.version": version,
    "service.instance.id": instance,
    "host.name": Deno.hostname(),
  });
}

/** The option for the address of a door. */
function door(fallback: Address | null, label: string, unix = false) {
  return valueOr(
    addressOrOff({ unix }),
    fallback,
    `The address of ${label}, or \`off\`. Default: ${fallback ? formatAddress(fallback) : "off"}`,
  );
}
