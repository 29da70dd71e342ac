/** The failures of statements. */
import { BargeError } from "../../error.ts";
import { StorageRefused } from "../../storage/refused.ts";

/** A statement missed its deadline. */
export class Late extends Error {
  constructor(ms: number) {
    super(`no answer in ${ms} ms`);
  }
}

/** A connection was closed in the middle of a transaction. */
export class Closed extends Error {
  constructor() {
    super("the connection was closed");
  }
}

function codeOf(error: unknown): string {
  return (error as { code?: string } | undefined)?.code ?? "";
}

/** Returns whether the connection can't be used any more. */
export function isLost(error: unknown): boolean {
  if (error instanceof Late || error instanceof Closed) return true;
  if (error instanceof BargeError) return isLost(error.cause);
  // 57P01 to 57P03: the server is going down, or not up yet. 25P03: it has ended an idle transaction.
  // 08: a failed connection.
  return /^(57P0[123]|25P03|08|CONNECTION_|CONNECT_TIMEOUT|E[A-Z]+$)/.test(codeOf(error));
}

/** Returns whether PostgreSQL gave up the transaction for another one: a deadlock, a conflict. */
export function isRetriable(error: unknown): boolean {
  return /^(40P01|40001)$/.test(codeOf(error));
}

/** Returns the failure as callers get it. */
export function typedError(error: unknown): unknown {
  if (error instanceof BargeError) return error;
  const code = codeOf(error);
  const hint = "try again once it is back";
  if (isLost(error)) {
    return new BargeError("unavailable", "the database does not answer", { hint, cause: error });
  }
  if (code === "57014") {
    return new BargeError("unavailable", "the database is too busy", { hint, cause: error });
  }
  if (/^53/.test(code)) {
    return new BargeError("unavailable", "the database has no room, or no connection left", {
      hint,
      cause: error,
    });
  }
  if (/^28/.test(code)) {
    return new StorageRefused("the database refuses the user or the password", {
      cause: error,
    });
  }
  if (/CERT|^UNABLE_TO_/.test(code)) {
    const { message } = error as Error;
    return new StorageRefused(`the certificate of the database is not accepted: ${message}`, {
      hint: "name its authority with --store-ca, and its host in --store as in the certificate",
      cause: error,
    });
  }
  if (code === "3D000") {
    return new StorageRefused("there is no such database", {
      hint: "make it with `createdb`, or correct --store",
      cause: error,
    });
  }
  if (code === "42501") {
    return new StorageRefused(`the database allows too little: ${(error as Error).message}`, {
      hint: "make the user of --store the owner of the database",
      cause: error,
    });
  }
  return error;
}
