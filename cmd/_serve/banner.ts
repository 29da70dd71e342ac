/**
 * The messages of `barge serve` at its start: text on a terminal, and records of the log elsewhere,
 * so that standard error holds only JSON lines.
 */
import { getLogger } from "@logtape/logtape";
import { type DoorName, doorNames } from "../../core/door/door.ts";
import type { Address } from "../../core/net/address.ts";
import type { HostKey } from "../../core/net/host_keys.ts";
import { tlsOption, usesTls } from "../../core/net/trust.ts";
import { flushLog, holdLog, logAlways } from "../../core/serve/log.ts";
import { tlsOf, type TlsOptions } from "../../core/serve/tls_options.ts";
import type { FirstPassword } from "../../core/serve/first_account.ts";
import type { Ready } from "../../core/serve/serve.ts";
import { note, terminal, writeError } from "../_term/out.ts";
import { counted } from "../_term/progress.ts";

/** Warns of a deprecated option. */
export function warnOfLimits(): void {
  getLogger(["barge", "serve"]).warn(
    "--limits is deprecated: move its limits to the table [limits] of the file of --config",
  );
}

/**
 * Reports the first admin. A terminal shows the password, and the log waits for {@link noteReady}. Elsewhere
 * the log names only the password's file.
 */
export function noteFirstAccount(account: string, secret: FirstPassword): void {
  if ("file" in secret) {
    return logAlways(
      "the account was made; its password is in a file that its owner alone can read",
      { account, file: secret.file },
    );
  }
  writeError(
    `\n  The account \`${account}\` was made. Its password, shown this once:\n\n` +
      `      ${secret.password}\n\n`,
  );
  holdLog();
}

/** A URL of the server. */
interface ServerUrl {
  /** The name of its line on a terminal. */
  readonly label: string;
  /** The name of its field in the log. */
  readonly field: string;
  readonly url: string;
}

export interface Banner extends TlsOptions {
  readonly data: string;
  readonly workers: number;
  readonly doors: { readonly [door in DoorName]: Address | null };
  readonly metrics: Address | null;
  readonly publicUrl: string | undefined;
  /** The account that this start has made. */
  readonly first: string | undefined;
  readonly json: boolean;
  /** Whether this start has made the data directory. */
  readonly isNew: boolean;
  /** A clause that names the servers on other directories. */
  readonly others: string | undefined;
}

/** Reports the addresses of the server, once its doors listen. */
export function noteReady(facts: Ready, hostKeys: readonly HostKey[], banner: Banner): void {
  const { data, workers, doors, isNew, others } = banner;
  const urls = doorNames.flatMap((name): ServerUrl[] => {
    const [address, at] = [doors[name], facts[name]];
    if (!address || !at) return [];
    const url = urlOf(name, at, tlsOf(name, address.host, banner));
    return [{ label: name, field: name, url }];
  });
  const { metrics, publicUrl } = banner;
  if (metrics && facts.metrics) {
    const tls = tlsOf("http", metrics.host, banner);
    const url = urlOf("http", facts.metrics, tls);
    urls.push({
      label: "metrics",
      field: "metrics",
      url: url.startsWith("unix:") ? url : `${url}metrics`,
    });
  }
  if (facts.acmeHttp) {
    const url = urlOf("http", facts.acmeHttp, "off");
    urls.push({ label: "acme-http", field: "acmeHttp", url });
  }
  if (publicUrl !== undefined && facts.http) {
    urls.push({ label: "public", field: "public", url: publicUrl });
  }
  if (!terminal.stderr) {
    // At any log level, since scripts wait for this record.
    return logAlways(`barge serves ${data}`, {
      data,
      workers,
      ...Object.fromEntries(urls.map(({ field, url }) => [field, url])),
      fingerprint: facts.fingerprint,
      hostKeys,
      ...(isNew && { made: isNew, others }),
    });
  }
  if (!banner.json) noteAddresses(facts, hostKeys, banner, urls);
  flushLog();
}

/** Shows the addresses on a terminal. */
function noteAddresses(
  facts: Ready,
  hostKeys: readonly HostKey[],
  banner: Banner,
  urls: readonly ServerUrl[],
): void {
  const { data, workers, doors, isNew, others } = banner;
  note(`barge serves ${data} with ${counted(workers, "worker")}`);
  if (isNew && others) note(`  the directory is new; ${others}`);
  const width = Math.max(...urls.map(({ label }) => label.length));
  for (const { label, url } of urls) note(`  ${label.padEnd(width)}  ${url}`);
  if (facts.fingerprint) note(`  its certificate is ${facts.fingerprint}`);
  for (const { type, fingerprint } of hostKeys) {
    note(`  its host key for SFTP is ${type} ${fingerprint}`);
  }
  const [native] = urls;
  if (doors.native === null || native?.label !== "native") return;
  const { host } = doors.native;
  const option = tlsOption(tlsOf("native", host, banner) !== "off", usesTls(host));
  const remote = native.url.replace("//", `//${banner.first ?? "NAME"}@`);
  note(`try: barge login${option} ${remote}`);
}

/** Returns the URL of a door. */
function urlOf(name: DoorName, at: string, tls: ReturnType<typeof tlsOf>): string {
  // Clients can't connect to a wildcard address.
  const host = at.replace(/^(0\.0\.0\.0|\[::\])(?=:)/, () => Deno.hostname());
  if (name === "native") return `barge://${host}`;
  if (host.startsWith("unix:")) return host;
  if (name === "http") return `${tls === "require" ? "https" : "http"}://${host}/`;
  return `${name}://${host}`;
}
