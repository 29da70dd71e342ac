/** The operator's settings that the doors and the logins read. */
import type { Role } from "../storage/account.ts";
import type { RegisterLimits } from "../storage/accounts.ts";
import type { EventTarget } from "../storage/events.ts";
import type { Limits, Tally } from "./gate.ts";
import type { SharedCounts } from "./metrics.ts";

/** Limits and rules that can be changed while the server runs; plain data. */
export interface Adjustable {
  /** Whether clients may make accounts for themselves. Absent: as before. */
  readonly allowRegister?: boolean;
  /** The quota of an account that registers and asks for none, in bytes; null for no limit. */
  readonly defaultLimit: number | null;
  /** The highest quota that `register` and `grow` may ask for, in bytes; null for no limit. */
  readonly maxLimit: number | null;
  /** The fewest characters of a new password. Default: `defaultMinPasswordLength`. */
  readonly minPassword?: number;
  /** The failed logins in an hour after which a ban follows; 0: never. Default: `defaultBanAfter`. */
  readonly banAfter?: number;
  /** The roles whose accounts must have a second factor. Default: none. */
  readonly requireTotp?: readonly Role[];
  /** The limits on registration. Default: `defaultRegisterLimits`. */
  readonly registering?: RegisterLimits;
  /** The limits on connections. */
  readonly limits?: Limits;
  /** The bytes a second that an account may send, and that it may receive; null or absent: no limit. */
  readonly rateUp?: number | null;
  readonly rateDown?: number | null;
  /**
   * The bindings (net/channel_binding.ts) of the TLS proxies in front of the plain native door; absent where no
   * proxy ends TLS.
   */
  readonly proxyBindings?: readonly string[];
  /** Whether the audit trail has changes of files, too. Default: false. */
  readonly auditFiles?: boolean;
  /** The time for which records of the audit trail are kept, in days. Default: `defaultAuditDays`. */
  readonly auditDays?: number;
}

/** The settings of a server as its doors see them. */
export interface ServiceSettings extends Adjustable {
  /** Whether clients may make accounts for themselves. */
  readonly allowRegister: boolean;
  /** The program's version, shown to admins. */
  readonly version?: string;
  /** The programs and servers that events are delivered to. Default: those of the last server on the storage. */
  readonly events?: readonly EventTarget[];
}

/** Memory that the workers of a server share. By default an isolate has its own. */
export interface WorkerTables {
  /** The counts of connections. */
  readonly tally?: Tally;
  /** The counts of requests and bytes. */
  readonly sharedCounts?: SharedCounts;
  /** The traffic of the last hours. The supervisor samples it. */
  readonly history?: SharedArrayBuffer;
  /** The bound on derivations of passwords: see core/login/derivations.ts. */
  readonly derivations?: SharedArrayBuffer;
}
