/** Accounts, and the rows that refer to them, in the form in which they are copied between storages. */
import type { Verifier } from "../protocol/message.ts";
import type { Role } from "../storage/account.ts";

/** An account without its sums, which follow from its files. */
export interface AccountRecord {
  readonly name: string;
  readonly role: Role;
  readonly disabled: boolean;
  readonly quota: number | null;
  readonly entryLimit: number | null;
  /** Whether the entry limit was set, and does not follow the quota. */
  readonly entryLimitSet: boolean;
  readonly epoch: number;
  readonly granted: number | null;
  readonly verifier: Verifier;
  /** Milliseconds since 1970. */
  readonly created: number;
  readonly lastLogin: number | null;
  readonly expires: number | null;
  /** The networks that it may log in from, with spaces between them; null for all. */
  readonly networks: string | null;
  /** The secret of the second factor, not sealed; null for none. */
  readonly totpSecret: string | null;
  /** The last time step whose code was used. */
  readonly totpStep: number | null;
  /** The digests of the unused recovery codes, with spaces between them. */
  readonly recoveryCodes: string | null;
}

/** A row of a {@link PeopleTable}. */
export type PeopleRow = Readonly<Record<string, unknown>>;

/**
 * The kind of a column: its type in PostgreSQL; `account`: an account's id, which is carried as its name;
 * `verifier`: a verifier, or null.
 */
export type ColumnKind = "text" | "bigint" | "boolean" | "account" | "verifier";

/** Tables with the same columns in both kinds of storage. Each comes after the tables that it refers to. */
export const peopleTables = {
  token: {
    id: "text",
    account: "account",
    label: "text",
    verifier: "verifier",
    created: "bigint",
    used: "bigint",
    used_from: "text",
    issued_by: "text",
    access: "text",
    path: "text",
    doors: "text",
    networks: "text",
    expires: "bigint",
  },
  public_key: {
    account: "account",
    fingerprint: "text",
    type: "text",
    blob: "text",
    comment: "text",
    added: "bigint",
    used: "bigint",
  },
  web_session: {
    digest: "text",
    account: "account",
    agent: "text",
    address: "text",
    created: "bigint",
    seen: "bigint",
    token: "text",
  },
  // Its account is a text, as core/storage/ban_rules.ts writes names.
  ban: { account: "text", address: "text", since: "bigint", until: "bigint", times: "bigint" },
  familiar: { account: "account", address: "text", seen: "bigint" },
  share: {
    digest: "text",
    account: "account",
    dir: "text",
    name: "text",
    kind: "text",
    created: "bigint",
    expires: "bigint",
    most: "bigint",
    downloads: "bigint",
    gone: "boolean",
    verifier: "verifier",
  },
  share_visit: {
    share: "text",
    address: "text",
    version: "text",
    parts: "bigint",
    at: "bigint",
  },
} as const satisfies Readonly<Record<string, Readonly<Record<string, ColumnKind>>>>;

export type PeopleTable = keyof typeof peopleTables;

/** The names of the tables, in the order in which they are written. */
export const peopleTableNames = Object.keys(peopleTables) as readonly PeopleTable[];

/** The rows of all tables. */
export type PeopleRows = ReadonlyMap<PeopleTable, readonly PeopleRow[]>;

/** All accounts and the rows that refer to them, as of one moment. */
export interface People {
  readonly accounts: readonly AccountRecord[];
  readonly rows: PeopleRows;
}

/** Returns the columns of a table with their kinds. */
export function columnsOf(table: PeopleTable): readonly (readonly [string, ColumnKind])[] {
  return Object.entries(peopleTables[table]);
}
