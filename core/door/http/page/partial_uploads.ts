/** Lists the partial uploads of the account for the page's script. */
import { type ResumableUpload, resumableUploads } from "../../../upload/partial_upload.ts";
import type { Source } from "../exchange.ts";
import { type PageContext, userView } from "./view.ts";

/** GET /half: a JSON array, written while the uploads are read. */
export async function listPartialUploads(c: PageContext): Promise<Response> {
  const { exchange, session } = await userView(c);
  const headers = { "cache-control": "no-store", "content-type": "application/json" };
  return exchange.send(asJson(resumableUploads(session, exchange.ended.signal)), { headers });
}

async function* asJson(uploads: AsyncIterable<ResumableUpload>): Source {
  const encoder = new TextEncoder();
  let separator = "[";
  for await (const upload of uploads) {
    yield encoder.encode(separator + JSON.stringify(upload));
    separator = ",";
  }
  yield encoder.encode(separator === "[" ? "[]" : "]");
}
