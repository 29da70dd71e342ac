/**
 * The relay: the least that a server between a client and the store does if the client computes the SHA-256 of each
 * file, and the server that of each file which it gets. Its times are the floor of such servers.
 */
import { fileURLToPath } from "node:url";
import { spawn } from "../cleanup.ts";
import { timed } from "../peers/process.ts";
import type { Engines } from "./engines.ts";
import { relayWay, type Way } from "./ways.ts";

const [server, client] = ["./relay_server.ts", "./relay_client.ts"]
  .map((name) => fileURLToPath(new URL(name, import.meta.url)));
const flags = ["run", "--quiet", "--no-check", "--allow-all"];

/**
 * Starts the relay, and returns the way through it, which takes files only.
 *
 * @param bucket the URL of the bucket
 */
export async function startRelay(
  { s3 }: Engines,
  bucket: string,
): Promise<Way & AsyncDisposable> {
  const env = { S3_BUCKET: bucket, S3_KEY: s3.accessKey, S3_SECRET: s3.secretKey };
  const relay = spawn(Deno.execPath(), { args: [...flags, server], env, stdout: "piped" });
  const lines = relay.stdout.pipeThrough(new TextDecoderStream()).getReader();
  const port = (await lines.read()).value?.trim();
  if (!port) throw new Error("the relay ended before it was ready");
  const run = (...args: string[]) => timed(Deno.execPath(), [...flags, client, port, ...args]);
  return {
    name: relayWay,
    kind: "floor",
    nodes: { pids: [relay.pid] },
    up: (_, path, name) => run("up", path, name),
    down: (_, name, path) => run("down", name, path),
    async [Symbol.asyncDispose]() {
      relay.kill("SIGTERM");
      await relay.status;
      await lines.cancel();
    },
  };
}
