/** Reads the settings and the certificate again while the server runs. */
import { getLogger } from "@logtape/logtape";
import { BargeError } from "../error.ts";
import type { Certificate } from "../net/certificate.ts";
import type { Adjustable } from "../watch/settings.ts";
import type { RegularVerification } from "./upkeep/verify_regularly.ts";
import type { LogLevel } from "./log_level.ts";
import type { CertificateFiles, CertificateSource } from "./tls_options.ts";

const log = getLogger(["barge", "serve"]);

/** The settings that a running server applies. */
export interface LiveSettings extends CertificateFiles {
  readonly limits: Adjustable;
  readonly logLevel: LogLevel;
  /** The regular verification; undefined for none. */
  readonly verify: RegularVerification | undefined;
}

/** Settings that were read again. */
export interface ChangedSettings extends LiveSettings {
  /** The changes as the log describes them: `rate-up from 1MB to none`. */
  readonly changes: readonly string[];
  /** The values of each changed option before and now. */
  readonly changed: Readonly<Record<string, { readonly from: unknown; readonly to: unknown }>>;
  /** The names of options whose change only a restart applies. */
  readonly needRestart: readonly string[];
}

interface ReloadOptions {
  /** @throws {BargeError} for settings that are not valid */
  readonly readSettings: () => Promise<ChangedSettings>;
  readonly applySettings: (settings: LiveSettings) => void | Promise<void>;
  /** Records the changes in the audit trail. */
  readonly recordChanges: (changed: ChangedSettings["changed"]) => Promise<void>;
  /** Returns the source of the certificate; undefined without TLS. */
  readonly source: (files: CertificateFiles) => (() => ReturnType<CertificateSource>) | undefined;
  /** Returns the certificate in use; undefined without TLS. */
  readonly certificate: () => Certificate | undefined;
  readonly applyCertificate: (certificate: Certificate, files: CertificateFiles) => void;
}

/** A part of the line that reports a reload: a template of the log, and its values. */
interface Part {
  readonly level: "info" | "warn" | "error";
  readonly template: string;
  readonly facts?: Readonly<Record<string, unknown>>;
}

/** The levels of a part, the lowest first. */
const levels = ["info", "warn", "error"] as const;

/**
 * Returns a function that reads everything again, and logs one line: what was read, what has changed, and what
 * needs a restart. A file that is not valid changes nothing of what it sets, and its fault is in the line. One
 * call runs at a time; calls in the meantime become one.
 *
 * @param files those of the first certificate
 */
export function reloader(options: ReloadOptions, files: CertificateFiles): () => Promise<void> {
  const { readSettings, applySettings, recordChanges, source, applyCertificate } = options;
  const reloadSettings = async (): Promise<Part> => {
    const settings = await readSettings().catch((error) => {
      throw withHint(error);
    });
    await applySettings(settings);
    files = settings;
    if (settings.changes.length > 0) await recordChanges(settings.changed);
    return describeSettings(settings);
  };
  const reloadCertificate = async (): Promise<Part | undefined> => {
    const certificate = await source(files)?.();
    if (!certificate) return undefined;
    const { fingerprint, until } = certificate;
    const template = describeCertificate(options.certificate(), certificate);
    applyCertificate(certificate, files);
    return { level: "info", template, facts: { fingerprint, until: until.toISOString() } };
  };
  const readAll = async () => {
    const parts = [
      await orFault(reloadSettings, "the former settings stay", "settingsFault"),
      await orFault(reloadCertificate, "the old certificate stays", "certificateFault"),
    ].filter((part) => part !== undefined);
    const level = levels.findLast((level) => parts.some((part) => part.level === level))!;
    const facts = Object.assign({}, ...parts.map(({ facts }) => facts));
    log[level](parts.map(({ template }) => template).join("; "), facts);
  };
  let running: Promise<void> | undefined;
  let next: Promise<void> | undefined;
  const start = () => {
    next = undefined; // a later call may be about a later change
    return running = readAll().finally(() => running = undefined);
  };
  return () => running ? next ??= running.then(start) : start();
}

function describeSettings({ changes, changed, needRestart }: ChangedSettings): Part {
  const hasChanged = changes.length > 0;
  const live = hasChanged
    ? {
      template: "the settings were reloaded: {changes}",
      facts: { changes: changes.join(", "), changed },
    }
    : { template: "the settings were read again", facts: {} };
  if (needRestart.length > 0) {
    const template = `${live.template}; a restart is needed for: {options}`;
    return { level: "warn", template, facts: { ...live.facts, options: needRestart.join(", ") } };
  }
  const unchanged = hasChanged ? "" : ", and have not changed";
  return { level: "info", template: live.template + unchanged, facts: live.facts };
}

/** Returns the template that says whether a certificate, or only its chain, is another one. */
function describeCertificate(former: Certificate | undefined, certificate: Certificate): string {
  if (certificate.fingerprint !== former?.fingerprint) {
    return "the certificate was reloaded: {fingerprint}, until {until}";
  }
  return chainOf(former) === chainOf(certificate)
    ? "the certificate is the same, until {until}"
    : "the certificate is the same, with other intermediate certificates, until {until}";
}

/** Returns all certificates in a file, without the text between them. */
function chainOf({ cert }: Certificate): string {
  const blocks = cert.match(/-----BEGIN [A-Z0-9 ]*CERTIFICATE-----[^-]*/g) ?? [];
  return blocks.join("").replaceAll(/\s/g, "");
}

/** Returns what a reload reports; for one that fails, the text of the failure with the reason. @param name of the reason */
async function orFault(
  reload: () => Promise<Part | undefined>,
  failure: string,
  name: string,
): Promise<Part | undefined> {
  try {
    return await reload();
  } catch (error) {
    return { level: "error", template: `${failure}: {${name}}`, facts: { [name]: String(error) } };
  }
}

/** Adds the hint of a failure to its message: a log line shows no hints. */
function withHint(error: unknown): unknown {
  if (!(error instanceof BargeError) || error.hint === undefined) return error;
  const { kind, message, op, path, hint, cause } = error;
  return new BargeError(kind, `${message} (${hint})`, { op, path, cause });
}
