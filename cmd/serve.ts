/** `barge serve`: the server. */
import { isIPv4 } from "node:net";
import { resolve } from "node:path";
import type { DoorName } from "../core/door/door.ts";
import { BargeError } from "../core/error.ts";
import { type Address, formatAddress } from "../core/net/address.ts";
import { Networks } from "../core/net/networks.ts";
import { parsePublicUrl } from "../core/net/public_url.ts";
import { levels } from "../core/serve/levels.ts";
import { mostMinPassword } from "../core/protocol/password.ts";
import { leastRate } from "../core/session/rate.ts";
import { hookOptions, hooksOf } from "./_serve/hooks.ts";
import { command } from "./_term/command.ts";
import { common, dataOption, flag, value, valueOr, values } from "./_term/options.ts";
import { printJson } from "./_term/out.ts";
import { addressOrOff, count, oneOf, path, sizeOrNone, valueParser } from "./_term/value.ts";
import { version } from "./_version.ts";

export default command({
  options: {
    data: dataOption(),
    native: door("native", { host: "127.0.0.1", port: 7171 }, "barge's own protocol"),
    http: door("http", { host: "127.0.0.1", port: 8080 }, "the web: a page, an API, WebDAV"),
    ftp: door("ftp", null, "FTP (TLS for who asks for it)"),
    ftps: door("ftps", null, "FTP inside TLS"),
    ftpPassivePorts: valueOr(
      ["--ftp-passive-ports"],
      portRange(),
      [20_000, 23_999] as const,
      "Where FTP's data connections are listened for, each on one chosen at random. Default: " +
        "20000-23999",
    ),
    ftpPublicAddress: value(
      ["--ftp-public-address"],
      ipv4(),
      "The address that FTP's PASV names, where clients reach another one than this machine has",
    ),
    ftpActive: valueOr(
      ["--ftp-active"],
      oneOf("on", "off"),
      "off",
      "May FTP's PORT have the server connect to its client, to ports from 1024 on? Workers may " +
        "then connect to any IPv4 address but this machine's. Default: off",
    ),
    ftpActiveLoopback: flag(
      ["--ftp-active-loopback"],
      "The same for clients on this machine: whoever comes through a tunnel or proxy on it can then " +
        "have the server write to, and read from, all that listens here",
    ),
    ftpSessionReuse: valueOr(
      ["--ftp-session-reuse"],
      oneOf("always", "tickets", "never"),
      "tickets",
      "Whose data connections must resume the TLS session of FTP's control connection: all clients', " +
        "or those that take session tickets. Others' can be taken by who has the same address. " +
        "Default: tickets",
    ),
    sftp: door("sftp", null, "the door for scp, sftp, rclone, WinSCP and sshfs"),
    trustedProxy: values(
      ["--trusted-proxy"],
      networks(),
      "A proxy, by its address or network (several: with commas, or again), that is believed " +
        "about its clients: X-Forwarded-For and X-Forwarded-Proto at the HTTP door",
    ),
    proxyProtocol: flag(
      ["--proxy-protocol"],
      "Those proxies begin each connection to the other doors with a PROXY header (version 1 or 2)",
    ),
    publicUrl: value(
      ["--public-url"],
      publicUrl(),
      "Where clients find the HTTP door behind a proxy, as in https://box.example/files; the " +
        "proxy leaves the paths as they are",
    ),
    metrics: valueOr(
      ["--metrics"],
      addressOrOff(),
      null,
      "Where Prometheus gets /metrics without a login. Default: off; the HTTP door has it for " +
        "admins",
    ),
    workers: valueOr(
      ["--workers"],
      count("N", 1, 256),
      navigator.hardwareConcurrency,
      "How many isolates serve, each with rights to its ports, users' files and the database alone. " +
        "Default: one a core",
    ),
    durability: valueOr(
      ["--durability"],
      oneOf("full", "relaxed"),
      "full",
      "`full`: what was acknowledged outlives a power cut. `relaxed`: it skips the syncs",
    ),
    allowRegister: flag(["--allow-register"], "Let strangers make accounts with `barge register`"),
    quota: value(
      ["--quota"],
      sizeOrNone(),
      "Capacity of an account that registers and names none. Default: 1MB",
    ),
    maxQuota: value(
      ["--max-quota"],
      sizeOrNone(),
      "How much an account may register with, or grow to, by itself. Default: --quota",
    ),
    minPassword: value(
      ["--min-password"],
      count("N", 0, mostMinPassword),
      "The fewest characters of a new password. On the native door it is the client that checks " +
        "this: no password is sent there. Default: 8",
    ),
    registerPerAddress: value(
      ["--register-per-address"],
      count("N", 0),
      "How many tries to register an address has in an hour. 0: any. Default: 5",
    ),
    registerPerHour: value(
      ["--register-per-hour"],
      count("N", 0),
      "How many accounts may register in an hour, from all addresses. 0: any. Default: 100",
    ),
    registerTotal: value(
      ["--register-total"],
      sizeOrNone(),
      "How much all accounts that registered may have together. Default: 10GiB",
    ),
    banAfter: value(
      ["--ban-after"],
      count("N", 0),
      "So many failed logins in an hour ban their address, or their account where it has not " +
        "logged in before: for 5 minutes, the next time for 10, up to a day. 0: never. Default: 9",
    ),
    maxConnections: value(
      ["--max-connections"],
      count("N", 0),
      "How many connections there may be at once, over all workers. 0: any. Default: 4096",
    ),
    maxPerAddress: value(
      ["--max-per-address"],
      count("N", 0),
      "The same for one address; loopback is not counted. 0: any. Default: 256",
    ),
    maxPerAccount: value(
      ["--max-per-account"],
      count("N", 0),
      "The same for one account, logged in. 0: any. Default: 1024",
    ),
    rateUp: value(
      ["--rate-up"],
      rate(),
      "Bytes a second that an account may send, all its connections together. Default: none",
    ),
    rateDown: value(["--rate-down"], rate(), "The same for what it is sent. Default: none"),
    limits: value(
      ["--limits"],
      path("FILE"),
      "A JSON object with limits, named like the options from --quota to --rate-down, which count " +
        "more; SIGHUP reads it again",
    ),
    tls: flag(["--tls"], "Use TLS on 127.0.0.1, too. Default: only where other machines reach"),
    tlsCert: value(
      ["--tls-cert"],
      path("FILE"),
      "A certificate in PEM, its chain behind it. Default: one that barge makes in DATA/tls",
    ),
    tlsKey: value(["--tls-key"], path("FILE"), "The key to --tls-cert, in PEM"),
    proxyCert: value(
      ["--proxy-cert"],
      path("FILE"),
      "The certificate, in PEM, of a proxy that ends TLS before a native door without TLS: logins " +
        "are bound to it; SIGHUP reads it again",
    ),
    plaintext: flag(
      ["--plaintext"],
      "Listen without TLS on an address that other machines reach. Files cross the wire readable " +
        "by all between; passwords do, too, but for barge's own protocol",
    ),
    grace: valueOr(
      ["--grace"],
      count("SECONDS", 0, 86_400),
      30,
      "When it is stopped, how long transfers may take to end; the rest is cut, and continued " +
        "later. Default: 30",
    ),
    unconfined: flag(
      ["--unconfined"],
      "Accept a data directory below /dev, /proc or /sys, where the runtime can't confine workers: " +
        "what breaks into one may do all that this user may",
    ),
    ...hookOptions,
    logLevel: valueOr(
      ["--log-level"],
      oneOf(...levels),
      "info",
      "What to log on standard error; every request is `info`, a failed login `warn`. Default: info",
    ),
    readyFd: value(
      ["--ready-fd"],
      count("N", 3, 65_535),
      "When it serves, write what --json prints to this descriptor, and close it",
    ),
    adopt: flag(
      ["--adopt"],
      "Make a new accounts database where files exist and the old one is lost: see below",
    ),
    printUnit: flag(
      ["--print-unit"],
      "Print a systemd unit that serves with the options beside it (not with variables), and end",
    ),
    ...common,
  },
  usage: "",
  about: `Serves the files and accounts in a data directory. The first start makes the directory
    and the account \`admin\`, whose password is shown once, on the terminal;
    without one it is written to \`admin-password\` in that directory, and the log names the file.

    Ctrl-C or SIGTERM ends it: nothing new is accepted, and transfers have --grace seconds to end;
    what is cut then is continued when its sender runs the same command again. The second one
    ends it at once. Started by systemd it tells when it is ready.

    Where other machines can connect it speaks TLS, with a certificate that it makes on the first
    start; \`barge cert\` prints the fingerprint, which clients show and pin when they first
    connect. SIGHUP makes it read the certificate's files and --limits again: transfers under way
    go on, at the new rates, and the other limits count for what comes then.

    A directory that holds files and no accounts.db has lost it, and is refused with 7: put a backup
    of it back. Without one, --adopt, once, makes a new database. The files stay where they are;
    homes/admin is the new admin's, and each other homes/NAME has no account until \`barge user add
    NAME --adopt\` gives it to one. \`barge verify --repair\` takes the files in.

    --check-upload and --on-commit run programs of yours, without a shell, as the server's user.
    Each reads one JSON object: event, account, path, file (where the bytes are), size, sha256,
    modified, verified, door, replaced, time.`,
  examples: [
    ["barge serve", "serve on 127.0.0.1:7171, and http://127.0.0.1:8080"],
    ["barge serve --data /srv/barge --native 0.0.0.0:7171", "serve everybody, with TLS"],
    [
      "barge serve --native 0.0.0.0:7171 --tls-cert box.pem --tls-key box.key",
      "the same, with a " +
      "certificate of your own",
    ],
    [
      "barge serve --trusted-proxy 127.0.0.1 --public-url https://box.example",
      "serve the web behind a proxy on this machine",
    ],
    [
      "barge serve --allow-register --quota 20GiB --register-total 1TiB",
      "give everyone who asks 20 GiB",
    ],
    ["barge serve --on-commit 'notify --quiet'", "run a program after each upload"],
    ["barge serve --print-unit --native 0.0.0.0:7171", "a hardened systemd unit for it"],
  ],
  async run(options, { signal }) {
    const { native, http, ftp, ftps, sftp } = options;
    const { data, workers, durability, allowRegister, json } = options;
    if (options.printUnit) {
      const { printUnit } = await import("./_serve/unit.ts");
      const doors = [native, http, ftp, ftps, sftp, options.metrics];
      return printUnit(Deno.args.slice(Deno.args.indexOf("serve") + 1), { ...options, doors });
    }
    const { readyFd } = options;
    const { checkReadyFd, tellReadyFd } = await import("../core/serve/ready.ts");
    if (readyFd !== undefined) checkReadyFd(readyFd);
    const { readLimits } = await import("./_serve/limits.ts");
    const { readProxyCert } = await import("./_serve/proxy_cert.ts");
    const limits = () => ({
      ...readLimits(options, options.limits),
      proxyEndPoints: readProxyCert(options.proxyCert),
    });
    const { serve } = await import("../core/serve/serve.ts");
    const { sayFirstAccount, sayReady } = await import("./_serve/banner.ts");
    const { exists, otherServers } = await import("./_data/accounts.ts");
    const made = !exists(`${data}/accounts.db`);
    const others = made ? await otherServers(data) : undefined;
    let first: string | undefined;
    await serve({
      data,
      doors: { native, http, ftp, ftps, sftp },
      ftp: {
        passive: options.ftpPassivePorts,
        publicAddress: options.ftpPublicAddress,
        sessionReuse: options.ftpSessionReuse,
        active: options.ftpActive === "on",
        activeLoopback: options.ftpActiveLoopback,
      },
      metrics: options.metrics,
      trustedProxies: options.trustedProxy.flat(),
      proxyProtocol: options.proxyProtocol,
      publicUrl: options.publicUrl,
      tls: options.tls,
      plaintext: options.plaintext,
      tlsCert: options.tlsCert,
      tlsKey: options.tlsKey,
      workers,
      durability,
      allowRegister,
      ...limits(),
      readLimits: options.limits === undefined && options.proxyCert === undefined
        ? undefined
        : limits,
      version,
      signal,
      grace: options.grace * 1000,
      hooks: hooksOf(options),
      logLevel: options.logLevel,
      adopt: options.adopt,
      unconfined: options.unconfined,
      notifySocket: Deno.env.get("NOTIFY_SOCKET"),
      keepPassword: !Deno.stderr.isTerminal(),
      onFirstAccount(name, secret) {
        first = name;
        sayFirstAccount(name, secret);
      },
      onReload(reload) {
        if (Deno.build.os !== "windows") Deno.addSignalListener("SIGHUP", () => void reload());
      },
      async onReady(facts, hostKeys) {
        const ready = { event: "ready", ...facts };
        if (json) printJson(ready);
        if (readyFd !== undefined) await tellReadyFd(readyFd, JSON.stringify(ready));
        const doors = { native, http, ftp, ftps, sftp };
        sayReady(facts, hostKeys, { ...options, data: resolve(data), doors, first, made, others });
      },
    });
  },
});

/** Where a door listens; `usual`: unless told otherwise. */
function door(name: DoorName, usual: Address | null, what: string) {
  return valueOr(
    [`--${name}`],
    addressOrOff(),
    usual,
    `Where ${what} listens, or \`off\`. Default: ${usual ? formatAddress(usual) : "off"}`,
  );
}

/** `A-B`: ports, the first and the last. */
function portRange() {
  const read = (text: string): readonly [number, number] | undefined => {
    const [, first, last] = /^(\d{1,5})-(\d{1,5})$/.exec(text)?.map(Number) ?? [];
    return first >= 1 && first <= last && last <= 65_535 ? [first, last] : undefined;
  };
  return valueParser("A-B", read, "a range of ports like 20000-23999");
}

/** `ADDR|CIDR`, one or several with commas. */
function networks() {
  const read = (text: string): readonly string[] | undefined => {
    const networks = text.split(",").map((network) => network.trim());
    return isUsable(() => new Networks(networks)) ? networks : undefined;
  };
  return valueParser(
    "ADDR|CIDR",
    read,
    "an address or network like 127.0.0.1, 10.0.0.0/8 or 2001:db8::/32 (not of prefix 0)",
  );
}

function publicUrl() {
  const read = (text: string) => isUsable(() => parsePublicUrl(text)) ? text : undefined;
  return valueParser("URL", read, "a URL like https://box.example or https://box.example/files");
}

function isUsable(use: () => unknown): boolean {
  try {
    use();
    return true;
  } catch (error) {
    if (error instanceof BargeError) return false;
    throw error;
  }
}

function ipv4() {
  return valueParser("IP", (text) => isIPv4(text) ? text : undefined, "an IPv4 address");
}

/** Bytes a second. */
function rate() {
  const sizes = sizeOrNone();
  const read = (text: string) => {
    const rate = sizes.parse(text);
    return rate === null || (rate !== undefined && rate >= leastRate) ? rate : undefined;
  };
  return valueParser("SIZE|none", read, "a size of 1KiB or more, or `none`");
}
