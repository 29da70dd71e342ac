// deno-lint-ignore-file no-console
/**
 * aws4fetch alone: the least that a client of the S3 store does for the same work.
 *
 *     s3_client.ts put FILE NAME        a multipart upload, each part with its SHA-256
 *     s3_client.ts get NAME FILE        ranges, without a digest
 *     s3_client.ts put-tree DIR NAME    an object for each file, with its SHA-256
 *     s3_client.ts get-tree NAME DIR    a listing, then each object
 *     s3_client.ts load put|get FILE NAME CLIENTS    the same file by each client at once
 *
 * S3_BUCKET is the URL of the bucket, S3_KEY and S3_SECRET its keys.
 */
import { hash } from "node:crypto";
import { dirname } from "node:path";
import { AwsClient } from "aws4fetch";

const partBytes = 8 * 2 ** 20;
const partsInFlight = 4;
const filesInFlight = 32;

const env = (name: string) => Deno.env.get(name)!;
const bucket = env("S3_BUCKET");
const client = new AwsClient({
  accessKeyId: env("S3_KEY"),
  secretAccessKey: env("S3_SECRET"),
  service: "s3",
  region: "us-east-1",
  retries: 0,
});

async function send(path: string, init: RequestInit): Promise<Response> {
  const response = await fetch(await client.sign(`${bucket}/${path}`, init));
  if (response.ok) return response;
  throw new Error(`${init.method} ${path}: ${response.status} ${await response.text()}`);
}

async function put(path: string, body: Uint8Array<ArrayBuffer>): Promise<Response> {
  const headers = { "x-amz-content-sha256": hash("sha256", body, "hex") };
  const response = await send(path, { method: "PUT", body, headers });
  await response.body?.cancel();
  return response;
}

async function get(path: string, range?: string): Promise<Uint8Array> {
  const response = await send(path, { method: "GET", headers: range ? { range } : {} });
  return await response.bytes();
}

/** Does work for all items, some at the same time. */
async function forAll<T>(
  items: readonly T[],
  inFlight: number,
  work: (item: T, index: number) => Promise<void>,
): Promise<void> {
  let next = 0;
  await Promise.all(Array.from({ length: inFlight }, async () => {
    while (next < items.length) {
      const index = next++;
      await work(items[index], index);
    }
  }));
}

async function putFile(path: string, name: string): Promise<void> {
  using file = await Deno.open(path);
  const { size } = await file.stat();
  const begun = await (await send(`${name}?uploads=`, { method: "POST" })).text();
  const upload = /<UploadId>([^<]+)</.exec(begun)![1];
  const tags: string[] = [];
  await forAll(offsets(size), partsInFlight, async (offset, i) => {
    const bytes = new Uint8Array(Math.min(partBytes, size - offset));
    file.seekSync(offset, Deno.SeekMode.Start);
    for (let at = 0; at < bytes.length;) at += file.readSync(bytes.subarray(at))!;
    const { headers } = await put(`${name}?partNumber=${i + 1}&uploadId=${upload}`, bytes);
    tags[i] = headers.get("etag")!;
  });
  const parts = tags.map((tag, i) =>
    `<Part><PartNumber>${i + 1}</PartNumber><ETag>${tag}</ETag></Part>`
  );
  const body = `<CompleteMultipartUpload>${parts.join("")}</CompleteMultipartUpload>`;
  await (await send(`${name}?uploadId=${upload}`, { method: "POST", body })).text();
}

async function getFile(name: string, path: string): Promise<void> {
  const { headers } = await send(name, { method: "HEAD" });
  const size = Number(headers.get("content-length"));
  using file = await Deno.open(path, { write: true, createNew: true });
  await forAll(offsets(size), partsInFlight, async (offset) => {
    const bytes = await get(name, `bytes=${offset}-${Math.min(offset + partBytes, size) - 1}`);
    file.seekSync(offset, Deno.SeekMode.Start);
    for (let at = 0; at < bytes.length;) at += file.writeSync(bytes.subarray(at));
  });
}

function offsets(size: number): number[] {
  return Array.from({ length: Math.ceil(size / partBytes) }, (_, i) => i * partBytes);
}

async function putTree(dir: string, name: string): Promise<void> {
  const folders = Array.from(Deno.readDirSync(dir), ({ name }) => name);
  const files = folders.flatMap((folder) =>
    Array.from(Deno.readDirSync(`${dir}/${folder}`), ({ name }) => `${folder}/${name}`)
  );
  await forAll(files, filesInFlight, async (file) => {
    await put(`${name}/${file}`, await Deno.readFile(`${dir}/${file}`));
  });
}

async function getTree(name: string, dir: string): Promise<void> {
  for (let after = "";;) {
    const query = new URLSearchParams({
      "list-type": "2",
      prefix: `${name}/`,
      "start-after": after,
    });
    const page = new TextDecoder().decode(await get(`?${query}`));
    const keys = Array.from(page.matchAll(/<Key>([^<]+)</g), ([, key]) => key);
    const files = keys.map((key) => `${dir}/${key.slice(name.length + 1)}`);
    for (const folder of new Set(files.map(dirname))) {
      await Deno.mkdir(folder, { recursive: true });
    }
    await forAll(keys, filesInFlight, async (key, i) => {
      await Deno.writeFile(files[i], await get(key), { createNew: true });
    });
    if (!page.includes("<IsTruncated>true<")) return;
    after = keys.at(-1)!;
  }
}

async function load(way: string, path: string, name: string, clients: string): Promise<void> {
  const bytes = await Deno.readFile(path);
  await forAll(Array.from({ length: Number(clients) }), Number(clients), async (_, i) => {
    if (way === "put") await put(`${name}-${i}`, bytes);
    else await get(name);
  });
}

const verbs: Record<string, (...args: string[]) => Promise<void>> = {
  put: putFile,
  get: getFile,
  "put-tree": putTree,
  "get-tree": getTree,
  load,
};
const [verb, ...args] = Deno.args;
try {
  await verbs[verb](...args);
} catch (error) {
  console.error((error as Error).message);
  Deno.exit(1);
}
