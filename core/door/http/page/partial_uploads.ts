/** What is half uploaded: the script asks for it when the page is opened. */
import { type Half, halves } from "../../../upload/halves.ts";
import type { Source } from "../exchange.ts";
import { type PageContext, userView } from "./view.ts";

/** GET /half: a JSON array, written as the uploads are found. */
export async function half(c: PageContext): Promise<Response> {
  const { exchange, session } = await userView(c);
  const headers = { "cache-control": "no-store", "content-type": "application/json" };
  return exchange.send(asJson(halves(session, exchange.ended.signal)), { headers });
}

async function* asJson(halves: AsyncIterable<Half>): Source {
  const encoder = new TextEncoder();
  let before = "[";
  for await (const half of halves) {
    yield encoder.encode(before + JSON.stringify(half));
    before = ",";
  }
  yield encoder.encode(before === "[" ? "[]" : "]");
}
