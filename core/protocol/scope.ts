/** The fields of a token's scope in messages and requests: see core/login/scope.ts. */
import * as v from "valibot";
import { time } from "./field.ts";

/** The rights of a token to change files, from the most to the fewest. */
export const accesses = ["full", "append-only", "read-only"] as const;
export type AccessRight = typeof accesses[number];

/** The doors that a scope can name; `ftp` is also FTP over implicit TLS. */
export const scopeDoors = ["native", "http", "ftp", "sftp"] as const;
export type ScopeDoor = typeof scopeDoors[number];

/** The most networks in a list, and the most characters of a path. */
export const maxNetworks = 32;
const maxPathLength = 3000;

const network = v.pipe(v.string(), v.maxLength(60));

/** The scope of a token to issue. A field that is missing sets no limit. */
export const scopeRequest = {
  access: v.optional(v.picklist(accesses)),
  path: v.optional(v.pipe(v.string(), v.maxLength(maxPathLength))),
  doors: v.optional(
    v.pipe(v.array(v.picklist(scopeDoors)), v.minLength(1), v.maxLength(scopeDoors.length)),
  ),
  from: v.optional(v.pipe(v.array(network), v.minLength(1), v.maxLength(maxNetworks))),
  expires: v.optional(time),
};

/** The scope of a token that exists; null: no limit. */
export const scopeAnswer = {
  access: v.picklist(accesses),
  path: v.nullable(v.string()),
  doors: v.nullable(v.array(v.string())),
  from: v.nullable(v.array(v.string())),
  expires: v.nullable(time),
};
