/** Reads the settings and the certificate again while the server runs. */
import { getLogger } from "@logtape/logtape";
import { BargeError } from "../error.ts";
import type { Certificate } from "../net/certificate.ts";
import type { Adjustable } from "../watch/settings.ts";
import { attempt } from "./attempt.ts";
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
  /** The values of each changed option before and now, as the log shows them. */
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
  readonly applyCertificate: (certificate: Certificate, files: CertificateFiles) => void;
}

/**
 * Returns a function that reads everything again. A file that is not valid changes nothing of what it
 * sets, and its fault is logged. One call runs at a time; calls in the meantime become one.
 *
 * @param files those of the first certificate
 */
export function reloader(options: ReloadOptions, files: CertificateFiles): () => Promise<void> {
  const { readSettings, applySettings, recordChanges, source, applyCertificate } = options;
  const readAll = async () => {
    await attempt("the former settings stay", async () => {
      const settings = await readSettings().catch((error) => {
        throw withHint(error);
      });
      await applySettings(settings);
      files = settings;
      logChanges(settings);
      if (Object.keys(settings.changed).length > 0) await recordChanges(settings.changed);
    }, "error");
    await attempt("the old certificate stays", async () => {
      const certificate = await source(files)?.();
      if (!certificate) return log.info("no certificate to reload: no door has TLS");
      applyCertificate(certificate, files);
      const { fingerprint, until } = certificate;
      log.info("the certificate was reloaded: {fingerprint}, until {until}", {
        fingerprint,
        until,
      });
    }, "error");
  };
  let running: Promise<void> | undefined;
  let next: Promise<void> | undefined;
  const start = () => {
    next = undefined; // a later call may be about a later change
    return running = readAll().finally(() => running = undefined);
  };
  return () => running ? next ??= running.then(start) : start();
}

function logChanges({ changed, needRestart }: ChangedSettings): void {
  if (Object.keys(changed).length > 0) {
    log.info("the settings were reloaded: {changed}", { changed });
  } else log.info("the settings were read again, and none that applies now has changed");
  if (needRestart.length === 0) return;
  log.warn("changed settings that need a restart: {options}", { options: needRestart.join(", ") });
}

/** Adds the hint of a failure to its message: a log line shows no hints. */
function withHint(error: unknown): unknown {
  if (!(error instanceof BargeError) || error.hint === undefined) return error;
  const { kind, message, op, path, hint, cause } = error;
  return new BargeError(kind, `${message} (${hint})`, { op, path, cause });
}
