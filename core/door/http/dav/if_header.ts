/** The If header: RFC 4918, section 10.4. */
import { BargeError } from "../../../error.ts";

/** The condition that the resource has a state token or entity tag, or with `not` has not. */
export interface IfCondition {
  readonly not: boolean;
  readonly token?: string;
  /** With its quotes. */
  readonly etag?: string;
}

/** Conditions that must all hold. */
export interface IfList {
  /** The URL of the resource; undefined for the resource of the request. */
  readonly resource: string | undefined;
  readonly conditions: readonly IfCondition[];
}

/**
 * Parses the header, of which one list must hold.
 *
 * @throws {BargeError} `usage` for a malformed header
 *
 * @example
 * ```ts
 * import { parseIf } from "./if_header.ts";
 * const [one, two] = parseIf('(<urn:a> ["x"]) (Not <DAV:no-lock>)');
 * if (one.conditions[0].token !== "urn:a" || one.conditions[1].etag !== '"x"') throw new Error();
 * if (!two.conditions[0].not || two.resource !== undefined) throw new Error();
 * ```
 */
export function parseIf(header: string): IfList[] {
  const lists: IfList[] = [];
  let resource: string | undefined;
  let tagged = false; // true after a resource that has no list yet
  let rest = header.trim();
  const take = (pattern: RegExp): string | undefined => {
    const match = pattern.exec(rest);
    if (match) rest = rest.slice(match[0].length).trimStart();
    return match?.[1];
  };
  while (rest !== "") {
    const tag = take(/^<([^<>\s]+)>/);
    if (tag !== undefined) {
      if (tagged || (lists.length > 0 && resource === undefined)) throw malformed();
      resource = tag;
      tagged = true;
      continue;
    }
    if (take(/^(\()/) === undefined) throw malformed();
    const conditions: IfCondition[] = [];
    while (take(/^(\))/) === undefined) {
      const not = take(/^(not)(?![a-z])/i) !== undefined;
      const token = take(/^<([A-Za-z][A-Za-z0-9+.-]*:[^<>\s]*)>/);
      const etag = token === undefined ? take(/^\[\s*((?:W\/)?"[^"]*")\s*\]/) : undefined;
      if (token === undefined && etag === undefined) throw malformed();
      conditions.push({ not, token, etag });
    }
    if (conditions.length === 0) throw malformed();
    lists.push({ resource, conditions });
    tagged = false;
  }
  if (lists.length === 0 || tagged) throw malformed();
  return lists;
}

function malformed(): BargeError {
  return new BargeError("usage", "the If header is malformed");
}
