/** The part of storage that keeps share links. */
import { dayMs } from "../duration.ts";
import type { Verifier } from "../protocol/message.ts";
import type { Actor } from "./audit/audit.ts";
import type { Place } from "./place.ts";

/** The time for which an expired link is still listed, in ms. */
export const listedMs = 30 * dayMs;
/** The time in which a counted download can be resumed, in ms, and the most resumes of it. */
export const resumableMs = dayMs;
export const maxParts = 100;
/** The most resumable downloads of one link; the oldest is forgotten first. */
export const maxVisits = 1000;

/** A share link. */
export interface Share {
  /** Identifies the link to its owner. It is no secret. */
  readonly id: string;
  readonly place: Place;
  readonly kind: "file" | "dir";
  /** Milliseconds since 1970. */
  readonly created: number;
  readonly expires: number;
  /** The most downloads; null for no limit. */
  readonly maxDownloads: number | null;
  readonly downloads: number;
  /** Whether the file or folder was moved or removed. */
  readonly gone: boolean;
  /** The verifier of the link's password; null for none. */
  readonly verifier: Verifier | null;
}

/** A link that was found by its token. */
export interface FoundShare extends Share {
  readonly digest: string;
  /** The id of the owner's account. */
  readonly account: number;
}

export type NewShare = Pick<Share, "place" | "kind" | "expires" | "maxDownloads" | "verifier">;

/** Each change takes the actor that the audit trail names. Default: the operator. */
export interface ShareStore {
  /**
   * Makes a link.
   *
   * @returns the token, which storage does not keep
   * @throws {BargeError} `refused` where the account has too many; `not-found` without the account
   */
  add(
    account: number,
    share: NewShare,
    by?: Actor,
  ): Promise<{ readonly token: string; readonly share: Share }>;
  /** Returns an account's links, the newest first. */
  list(account: number): Promise<readonly Share[]>;
  /** Returns the link of a token, also where it has ended. */
  find(token: string): Promise<FoundShare | undefined>;
  /**
   * Counts a download, before its first byte is sent, unless the link is used up.
   *
   * @param address the visitor's network
   * @param version the file's version, for a download that may be resumed; null for none
   * @returns whether the download may begin
   */
  count(share: FoundShare, address: string, version: string | null): Promise<boolean>;
  /** Counts a resume of a counted download. @returns whether the link allows it */
  resume(share: FoundShare, address: string, version: string): Promise<boolean>;
  /** Ends a link. @returns whether the account had it */
  revoke(account: number, id: string, by?: Actor): Promise<boolean>;
  /** Returns the key that signs proofs of a link's password. */
  signingKey(): Promise<string>;
}
