import { BargeError } from "../error.ts";

/** The URL at which clients reach the HTTP door. */
export interface PublicUrl {
  readonly scheme: "http" | "https";
  /** Scheme, host and port, as a browser writes them: `https://box.example`. */
  readonly origin: string;
  /** The first part of every path, such as `/files`; may be empty. */
  readonly prefix: string;
}

/**
 * Reads `https://HOST[:PORT][/PREFIX]`.
 *
 * @throws {BargeError} `usage`
 *
 * @example
 * ```ts
 * import { parsePublicUrl } from "./public_url.ts";
 * const { origin, prefix } = parsePublicUrl("https://Box.example:443/files/");
 * if (origin !== "https://box.example" || prefix !== "/files") throw new Error();
 * ```
 */
export function parsePublicUrl(text: string): PublicUrl {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const scheme = url?.protocol.slice(0, -1);
  const plain = url && url.username === "" && url.password === "" && !/[?#%\\]/.test(text);
  const prefix = url?.pathname.replace(/\/+$/, "") ?? "";
  const valid = /^(\/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)*$/.test(prefix);
  if (!plain || (scheme !== "http" && scheme !== "https") || !valid) {
    throw new BargeError("usage", `${JSON.stringify(text)} is no public URL`, {
      hint: "for instance https://box.example or https://box.example/files",
    });
  }
  return { scheme, origin: url.origin, prefix };
}
