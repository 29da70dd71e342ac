/** What is half uploaded: the script asks for it when the page is opened. */
import { type SampledUpload, sampledUploads } from "../../../upload/partial_upload.ts";
import type { Source } from "../exchange.ts";
import { type PageContext, userView } from "./view.ts";

/** GET /half: a JSON array, written as the uploads are found. */
export async function half(c: PageContext): Promise<Response> {
  const { exchange, session } = await userView(c);
  const headers = { "cache-control": "no-store", "content-type": "application/json" };
  return exchange.send(asJson(sampledUploads(session, exchange.ended.signal)), { headers });
}

async function* asJson(uploads: AsyncIterable<SampledUpload>): Source {
  const encoder = new TextEncoder();
  let before = "[";
  for await (const upload of uploads) {
    yield encoder.encode(before + JSON.stringify(upload));
    before = ",";
  }
  yield encoder.encode(before === "[" ? "[]" : "]");
}
