/** The setup of a server, as its options describe it. */
import type { DoorSpec } from "../door/door.ts";
import type { CertificateFiles } from "../serve/tls_options.ts";
import type { SharedStorage } from "../shared/storage.ts";

/** A file of the operator's that holds a secret. */
export interface SecretFile {
  /** The option that names it: `--tls-key`. */
  readonly option: string;
  readonly path: string;
}

/** A file that an option names, with the reason why it can't be used. */
export interface UnusableFile extends SecretFile {
  readonly why: string;
}

/** The options of a server that the checks need. */
export interface Setup extends CertificateFiles {
  readonly doors: readonly DoorSpec[];
  readonly secretFiles: readonly SecretFile[];
  /** Files of authorities' certificates and of keys that can't be used. */
  readonly unusableFiles: readonly UnusableFile[];
  /** The configuration file. */
  readonly config?: string;
  /** The certificate of a proxy that ends TLS for the native door. */
  readonly proxyCert?: string;
  readonly publicUrl?: string;
  /** Whether the certificate is from an authority by ACME. */
  readonly acme?: boolean;
  /** The most connections; 0: no limit. */
  readonly maxConnections: number;
  /** The version of this program. */
  readonly version: string;
}

/** A setup whose storage is a data directory. */
export interface LocalSetup extends Setup {
  /** The real path of the data directory; the given path if there is no such folder. */
  readonly data: string;
  readonly durability: "full" | "relaxed";
}

/** A setup whose storage is PostgreSQL and a bucket. */
export interface SharedSetup extends Setup {
  readonly storage: SharedStorage;
}
