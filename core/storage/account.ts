/** Accounts, and the credentials of logins to them. */

export type Role = "user" | "admin";

export interface Account {
  readonly id: number;
  readonly name: string;
  readonly role: Role;
  readonly disabled: boolean;
  /** Bytes in committed files. */
  readonly used: number;
  /** Bytes that uploads under way may still write. */
  readonly reserved: number;
  /** The quota, in bytes: the most of used and reserved together; null for no limit. */
  readonly limit: number | null;
  /** Files, folders and partial uploads that it has. */
  readonly entries: number;
  /** The entry limit; null for no limit. */
  readonly entryLimit: number | null;
  /** Whether an operator has set the entry limit; otherwise it follows the quota. */
  readonly entryLimitSet: boolean;
  /** Milliseconds since 1970. */
  readonly created: number;
  /** The time of its last login, to the minute; null for never. */
  readonly lastLogin: number | null;
  /** When it ends, in ms since 1970, by the clock of storage; null for never. */
  readonly expires: number | null;
  /** Whether it has ended. */
  readonly expired: boolean;
  /** The networks that it may log in from; null for all. */
  readonly from: readonly string[] | null;
  /** Whether it has a second factor (TOTP). */
  readonly totp: boolean;
}

/** The facts of an account that decide whether a login whose credential is valid may be used. */
export type Standing = Pick<Account, "role" | "from" | "totp">;

/** Returns whether an account may log in, from some address. */
export function mayLogIn({ disabled, expired }: Pick<Account, "disabled" | "expired">): boolean {
  return !disabled && !expired;
}

/** The secret that a login rests on. The login ends when the secret is gone. */
export type Credential =
  /** The password of an epoch: each change of the password raises the account's epoch. */
  | { readonly kind: "password"; readonly epoch: number }
  | { readonly kind: "token"; readonly id: string }
  | { readonly kind: "key"; readonly fingerprint: string }
  /** A login at the web page. */
  | { readonly kind: "web"; readonly digest: string }
  /** A share link, which lets visitors read in its owner's place. */
  | { readonly kind: "share"; readonly digest: string };

/** Returns the value by which the database finds a credential of its kind. */
export function credentialValue(credential: Credential): string | number {
  switch (credential.kind) {
    case "password":
      return credential.epoch;
    case "token":
      return credential.id;
    case "key":
      return credential.fingerprint;
    default:
      return credential.digest;
  }
}

/** A login: an account, and the credential that it rests on. */
export interface Login {
  /** The account's id. */
  readonly id: number;
  readonly credential: Credential;
}
