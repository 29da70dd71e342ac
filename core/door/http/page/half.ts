/** What is half uploaded: the script asks for it when the page is opened. */
import { halves } from "../../../session/halves.ts";
import { type PageContext, userView } from "./view.ts";

/** GET /half. */
export async function half(c: PageContext): Promise<Response> {
  const { exchange, session } = userView(c);
  const headers = { "cache-control": "no-store" };
  return Response.json(await halves(session, exchange.ended.signal), { headers });
}
