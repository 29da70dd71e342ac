/** Responses in XML: RFC 4918, sections 13, 14 and 16. */
import { STATUS_CODES } from "node:http";
import { escapeXml } from "./xml.ts";

export const begin = '<?xml version="1.0" encoding="utf-8"?>\n';
export const xmlType = { "content-type": "application/xml; charset=utf-8" } as const;

/** Returns a response in XML whose body is complete. */
export function xml(status: number, body: string, headers: Record<string, string> = {}): Response {
  return new Response(`${begin}${body}\n`, { status, headers: { ...xmlType, ...headers } });
}

/** Returns the response 207. @param responses as {@link responseElement} makes them */
export function multistatus(responses: readonly string[]): Response {
  return xml(207, `<D:multistatus xmlns:D="DAV:">${responses.join("")}</D:multistatus>`);
}

/** Returns the element for one resource. @param inner a status, or properties with a status */
export function responseElement(href: string, inner: string): string {
  return `<D:response><D:href>${escapeXml(href)}</D:href>${inner}</D:response>`;
}

export function status(code: number): string {
  return `<D:status>HTTP/1.1 ${code} ${STATUS_CODES[code] ?? ""}</D:status>`;
}

/**
 * Returns properties with a common status.
 *
 * @param properties elements
 * @param condition the failed precondition
 */
export function propstat(code: number, properties: string, condition?: string): string {
  const error = condition ? `<D:error><D:${condition}/></D:error>` : "";
  return `<D:propstat><D:prop>${properties}</D:prop>${status(code)}${error}</D:propstat>`;
}

/** Returns the body of a refusal: the failed precondition, and the resources that it failed on. */
export function failedOn(condition: string, hrefs: readonly string[] = []): string {
  const inner = hrefs.map((href) => `<D:href>${escapeXml(href)}</D:href>`).join("");
  return `<D:error xmlns:D="DAV:"><D:${condition}>${inner}</D:${condition}></D:error>`;
}
